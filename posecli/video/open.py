"""From what the user names to a source of frames."""

from __future__ import annotations

import glob
from pathlib import Path

from posecli.errors import PosecliError, UsageError
from posecli.video.ffmpeg import is_live, reason
from posecli.video.source import TURNS, Source


def open_source(path_or_pattern: str | Path, *, rotate: int | None = None, threads: int = 0) -> Source:
    """Opens a video, a picture, a folder of pictures or a pattern that matches pictures.

    To add another kind of source: write a subclass of Source in a file of its own (info, frames, warnings,
    close; mistakes of the user raise PosecliError on opening), and return it below for the inputs that are
    its own. Probe cheaply, by name or first bytes; what nobody claims goes to VideoFile, which fails clearly.

    Args:
        path_or_pattern: a file, a folder, a pattern such as "shots/*.png", a URL that FFmpeg understands, or a
            camera: "camera:0".
        rotate: 0, 90, 180 or 270 degrees clockwise by which to turn the stored pictures; None goes by what
            the file says.
        threads: that decode a video, at most; 0: as many as there are cores.

    Raises:
        PosecliError: there is nothing there that can be read.
        UsageError: `rotate` is none of the four.
    """
    if rotate is not None and rotate not in TURNS:
        raise UsageError(f"cannot rotate by {rotate} degrees: give one of {', '.join(map(str, TURNS))}")
    if is_live(path_or_pattern):
        from posecli.video.live import LiveStream

        return LiveStream(str(path_or_pattern), rotate=rotate, threads=threads)
    path = Path(path_or_pattern).expanduser()
    if path.is_dir():
        return _open_pictures(path, _pictures_in(path), rotate)
    # A file that exists is meant literally, brackets in its name or not.
    if not path.exists() and glob.has_magic(str(path)):
        return _open_matches(path, rotate, threads)
    return _open_file(path, rotate, threads)


def _open_file(path: Path, rotate: int | None, threads: int) -> Source:
    from posecli.video.pictures import is_picture

    if path.is_file() and path.suffix.lower() in {".heic", ".heif"}:
        raise PosecliError(f"{path} is a HEIC picture, which cannot be read: convert it to JPEG")
    if path.is_file() and is_picture(path):
        return _open_pictures(path, [path], rotate)
    return _open_video(path, rotate, threads)


def _open_matches(pattern: Path, rotate: int | None, threads: int) -> Source:
    from posecli.video.pictures import is_picture, natural_order

    # Path.glob refuses absolute patterns.
    matches = [Path(match) for match in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207
    pictures = sorted(filter(is_picture, matches), key=natural_order)
    if pictures:
        return _open_pictures(pattern, pictures, rotate)
    if len(matches) == 1:
        return open_source(matches[0], rotate=rotate, threads=threads)
    if matches:
        raise PosecliError(
            f"{pattern} matches {len(matches)} files, none a picture: give videos one at a time"
        )
    raise PosecliError(f"nothing matches {pattern}: check the pattern, and quote it against the shell")


def _pictures_in(folder: Path) -> list[Path]:
    from posecli.video.pictures import is_picture, natural_order

    try:
        return sorted(filter(is_picture, folder.iterdir()), key=natural_order)
    except OSError as error:
        raise PosecliError(f"cannot list {folder}: {reason(error)}") from error


def _open_pictures(path: Path, files: list[Path], rotate: int | None) -> Source:
    from posecli.video.pictures import PICTURE_SUFFIXES, Pictures

    if not files:
        known = ", ".join(sorted(PICTURE_SUFFIXES))
        raise PosecliError(f"{path} holds no pictures ({known}): give a folder that does, or a video file")
    return Pictures(path, files, rotate=rotate)


def _open_video(path: str | Path, rotate: int | None, threads: int) -> Source:
    from posecli.video.video_file import VideoFile

    return VideoFile(path, rotate=rotate, threads=threads)
