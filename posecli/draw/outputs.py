"""Where rendered frames go: a video, a GIF, one picture, or a folder of pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2

from posecli.draw.gif import GifOutput
from posecli.errors import PosecliError, UsageError
from posecli.formats.atomic import ReplacingFile
from posecli.types import Frame, Image, VideoInfo
from posecli.unfinished import Unfinished

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv")
GIF_SUFFIX = ".gif"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class Output(Protocol):
    """A context manager; what it writes is there when the block ends well, and not at all otherwise."""

    def __enter__(self) -> Self: ...

    def write(self, image: Image, frame: Frame) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How an output is written."""

    width: int  # pixels of the pictures to come
    height: int
    crf: int | None = None  # of videos, x264's: 0 (without loss) to 51; the writer's own without
    force: bool = False  # whether files that are there already may be replaced


def open_output(target: str, source: str, info: VideoInfo, options: OutputOptions | None = None) -> Output:
    """The output that the target's name asks for.

    A name in .mp4, .mov or .mkv is a video, one in .gif an animation; one in .png, .jpg, ... a picture, or a
    folder of such pictures where its stem is *; a folder, or a name without a suffix, a folder of pictures.

    Args:
        source: where the pictures come from, for their sound.
        info: what the reader said of the source.
        options: how to write it; pictures of the source's size without.

    Raises:
        UsageError: another suffix, or the output would overwrite the input.
        PosecliError: nothing can be written there, or the file is there and nobody said to replace it.
    """
    options = options or OutputOptions(info.width, info.height)
    path = Path(target)
    suffix = path.suffix.lower()
    if target.endswith(("/", os.sep)) or path.is_dir() or not suffix:
        return _folder(path, "", source, options.force)
    if path.stem == "*" and suffix in PICTURE_SUFFIXES:
        return _folder(path.parent, suffix, source, options.force)
    if suffix not in VIDEO_SUFFIXES + PICTURE_SUFFIXES + (GIF_SUFFIX,):
        known = ", ".join((*VIDEO_SUFFIXES, GIF_SUFFIX, *PICTURE_SUFFIXES))
        raise UsageError(f"{target}: a name in {known}, or a folder, is expected")
    _refuse_same(path, Path(source))
    if path.exists() and not options.force:
        raise PosecliError(f"{target} exists: give --force to replace it, or another name")
    if suffix in VIDEO_SUFFIXES:
        return VideoOutput(path, source, info, options)
    if suffix == GIF_SUFFIX:
        return GifOutput(path, options.width, options.height)
    return PictureOutput(path)


def _folder(folder: Path, suffix: str, source: str, force: bool) -> FolderOutput:
    _refuse_same(folder, Path(source) if Path(source).is_dir() else Path(source).parent)
    return FolderOutput(folder, suffix, force)


def _refuse_same(output: Path, source: Path) -> None:
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output} would be written over the input: choose another place")


class VideoOutput:
    """A video with the source's timestamps and sound."""

    def __init__(self, path: Path, source: str, info: VideoInfo, options: OutputOptions) -> None:
        from posecli.video import VideoWriter

        quality = {} if options.crf is None else {"crf": options.crf}
        self._writer = VideoWriter(
            path, width=options.width, height=options.height, source=source, info=info, **quality
        )

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def write(self, image: Image, frame: Frame) -> None:
        self._writer.write(image, pts=frame.pts, time_s=frame.time_s if frame.pts is None else None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)


class PictureOutput:
    """One picture, for a source of one frame."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encoded: bytes | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, image: Image, frame: Frame) -> None:
        if self._encoded is not None:
            raise PosecliError(f"{self._path} is one picture, and there are more: give a folder or a video")
        self._encoded = encode(image, self._path.suffix)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._encoded is not None:
            with ReplacingFile(self._path, binary=True) as file:
                file.write(self._encoded)


class FolderOutput:
    """Pictures named like the source's, or numbered from 000000 where it is a video.

    They are written to a folder beside, and moved over when all are there.
    """

    def __init__(self, folder: Path, suffix: str, force: bool = False) -> None:
        self._folder = folder
        self._suffix = suffix
        self._force = force
        if folder.exists() and not folder.is_dir():
            raise PosecliError(f"{folder} is a file: give a folder, or a name that ends in .mp4 or .png")

    def __enter__(self) -> Self:
        try:
            self._unfinished = Unfinished(self._folder.absolute(), is_folder=True)
        except OSError as failure:
            raise PosecliError(f"{self._folder} cannot be written: {failure.strerror}") from failure
        return self

    def write(self, image: Image, frame: Frame) -> None:
        name = Path(frame.name or f"{frame.index:06d}.png")
        suffix = self._suffix or (name.suffix if name.suffix.lower() in PICTURE_SUFFIXES else ".png")
        picture = self._unfinished.path / name.with_suffix(suffix).name
        if picture.exists():  # a.jpg and a.bmp both become a.png
            picture = self._unfinished.path / (name.name + suffix)
        if not self._force and (self._folder / picture.name).exists():
            raise PosecliError(
                f"{self._folder / picture.name} exists: give --force to replace it, or another folder"
            )
        try:
            picture.write_bytes(encode(image, suffix))
        except OSError as failure:
            raise PosecliError(f"{self._folder} cannot be written: {failure.strerror}") from failure

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._folder.mkdir(exist_ok=True)
                for picture in sorted(self._unfinished.path.iterdir()):
                    picture.replace(self._folder / picture.name)
        except OSError as failure:
            raise PosecliError(f"{self._folder} cannot be written: {failure.strerror}") from failure
        finally:
            self._unfinished.remove()


def encode(image: Image, suffix: str) -> bytes:
    """The picture's file, by its suffix."""
    _, encoded = cv2.imencode(suffix.lower(), image[..., ::-1])
    return encoded.tobytes()
