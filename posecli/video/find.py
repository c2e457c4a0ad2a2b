"""From what the user names to the videos that it means: a file is one, a folder or a pattern may be many."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from posecli.errors import PosecliError

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv",
     ".3gp", ".ogv", ".mxf")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One video, or a folder of pictures that are one."""

    source: str  # as posecli.video.open_source takes it
    place: Path  # below the folder or pattern that was named, without a suffix: where its output belongs


def find_sources(named: str, *, prefer_videos: bool = False) -> list[Found]:
    """The videos that a name means, in order of their paths.

    A folder with pictures in it is one video, as for open_source. Any other folder means the videos in it and below
    it, or if there are none the folders of pictures below it. A pattern means the videos it matches.

    Args:
        named: a file, folder, pattern or URL. One of which nothing is found means itself: opening it will tell.
        prefer_videos: of a folder that holds pictures and videos, take the videos.
    """
    if "://" in named or named.startswith("camera:"):
        return [_itself(named)]
    path = Path(named).expanduser()
    if path.is_dir():
        return _in_folder(path, named, prefer_videos)
    if not path.exists() and glob.has_magic(named):
        matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
        videos = [_itself(str(match)) for match in matches if is_video(match)]
        folders = [_itself(str(match)) for match in matches if match.is_dir()]
        return videos or folders or [_itself(named)]
    return [_itself(named)]


def read_list(text: bytes) -> list[str]:
    """The inputs that a list names, one a line, or ended by zero bytes as of `find -print0`.

    Raises:
        PosecliError: it names none.
    """
    lines = text.split(b"\0") if b"\0" in text else text.splitlines()
    names = [os.fsdecode(line) for line in lines if line.strip()]
    if not names:
        raise PosecliError("the list on standard input is empty: give one video a line")
    return names


def name_outputs(found: Iterable[Found], suffix: str) -> dict[Path, str]:
    """Each video's output, as a path below the folder of outputs, to its source.

    `a.mp4` gives `a.json`; where `a.mov` would too, both keep their own suffix: `a.mp4.json`, `a.mov.json`.

    Raises:
        PosecliError: two videos of one name would write the same file.
    """
    found = list(found)
    places = [video.place for video in found]
    outputs: dict[Path, str] = {}
    for video in found:
        own = Path(video.source).suffix if places.count(video.place) > 1 else ""
        output = video.place.with_name(video.place.name + own + suffix)
        if output in outputs:
            raise PosecliError(
                f"{outputs[output]} and {video.source} would both be written to {output}: give them one at a time"
            )
        outputs[output] = video.source
    return outputs


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video; hidden files (macOS's ._x.mov) are none."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _itself(named: str) -> Found:
    path = Path(named)
    name = path.name if path.is_dir() else path.stem
    return Found(named, Path(name or path.resolve().name or "video"))


def _in_folder(folder: Path, named: str, prefer_videos: bool) -> list[Found]:
    from posecli.video.pictures import is_picture

    if not prefer_videos and any(map(is_picture, folder.iterdir())):
        return [_itself(named)]
    videos = sorted(path for path in folder.rglob("*") if is_video(path))
    if videos:
        return [Found(str(path), path.relative_to(folder).with_suffix("")) for path in videos]
    if any(map(is_picture, folder.iterdir())):
        return [_itself(named)]
    below = sorted({path.parent for path in folder.rglob("*") if is_picture(path)})
    return [Found(str(path), path.relative_to(folder)) for path in below] or [_itself(named)]
