"""The video of a page: inside the file, or beside it."""

from __future__ import annotations

import base64
import html
import os
import tempfile
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from posecli.errors import PosecliError, UsageError

# The containers that browsers play; .mov is MP4 by another name, which Chromium refuses under its own.
MEDIA_TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
CODECS = {"h264", "vp8", "vp9", "av1"}
PIXEL_FORMATS = {"yuv420p", "yuvj420p"}
EMBEDDED_BYTES = (
    32 * 2**20
)  # larger videos are linked: such a page opens at once and can still be sent to someone
CHUNK_BYTES = 3 * 2**18  # a multiple of 3, so that the base64 of the chunks can be joined


class Footage(ABC):
    """A video as markup."""

    media_sources: str  # for the page's content security policy

    @abstractmethod
    def markup(self) -> Iterator[str]:
        """The element with the id `footage`, in pieces.

        Raises:
            PosecliError: the video cannot be read.
        """


@dataclass(frozen=True)
class EmbeddedVideo(Footage):
    """The file's bytes in base64. The page makes a blob of them: not every browser can seek in a data URI."""

    path: Path
    sound: bool
    media_sources = "blob:"

    def markup(self) -> Iterator[str]:
        yield f'<script type="text/plain" id="footage" data-type="{_media_type(self.path)}"{_sound(self.sound)}>'
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield base64.b64encode(chunk).decode("ascii")
        except OSError as error:
            raise PosecliError(f"{self.path} cannot be read: {error.strerror}") from error
        yield "</script>\n"


@dataclass(frozen=True)
class LinkedVideo(Footage):
    """A reference from the page's folder to a file."""

    url: str
    sound: bool
    media_sources = "'self' file:"  # not every browser takes 'self' for the disk

    @classmethod
    def beside(cls, page: Path, video: Path, sound: bool) -> LinkedVideo:
        """The video by its path from the page, so that the two can be moved together."""
        folder = Path(os.path.realpath(page)).parent
        try:
            relative = Path(os.path.relpath(os.path.realpath(video), folder)).as_posix()
        except ValueError:  # on another drive
            return cls(video.resolve().as_uri(), sound)
        return cls("./" + urllib.parse.quote(os.fsencode(relative)), sound)

    def markup(self) -> Iterator[str]:
        url = html.escape(self.url)
        yield f'<script type="text/plain" id="footage" data-url="{url}"{_sound(self.sound)}></script>\n'


def _media_type(path: Path) -> str:
    return MEDIA_TYPES[path.suffix.lower()]


def _sound(sound: bool) -> str:
    return " data-sound" if sound else ""


@contextmanager
def prepare(video: Path, page: Path, *, embed: bool | None, rotate: int | None) -> Iterator[Footage]:
    """The video as browsers can play it, there until the block ends.

    Args:
        video: a video, or pictures. What browsers cannot play is converted to H.264, and embedded.
        page: where the page will be.
        embed: whether to put the video into the page; None does so up to EMBEDDED_BYTES.
        rotate: degrees clockwise, as for open_source.

    Raises:
        UsageError: a link was asked for, and the video must be converted.
        PosecliError: the video cannot be read.
    """
    if rotate is None and is_playable(video):
        is_inside = video.stat().st_size <= EMBEDDED_BYTES if embed is None else embed
        sound = has_sound(video)
        yield EmbeddedVideo(video, sound) if is_inside else LinkedVideo.beside(page, video, sound)
        return
    if embed is False:
        raise UsageError(f"{video} must be converted for browsers, and is then embedded: leave out --link")
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "video.mp4"
        convert(video, converted, rotate)
        yield EmbeddedVideo(converted, has_sound(converted))


def is_playable(video: Path) -> bool:
    """Whether browsers play this, going by its container, codec and depth of colour.

    Raises:
        PosecliError: it is a file, but none that can be opened as a video.
    """
    from posecli.video.ffmpeg import open_container
    from posecli.video.video_file import video_stream

    if video.suffix.lower() not in MEDIA_TYPES or not video.is_file():
        return False
    with open_container(video) as container:
        codec = video_stream(container, str(video)).codec_context
        return codec.name in CODECS and codec.pix_fmt in PIXEL_FORMATS


def has_sound(video: Path) -> bool:
    from posecli.video.ffmpeg import open_container

    with open_container(video) as container:
        return bool(container.streams.audio)


def convert(video: Path, target: Path, rotate: int | None) -> None:
    """Writes a video or pictures as H.264 with the same timestamps.

    Raises:
        PosecliError: it cannot be read, or the target cannot be written.
    """
    from posecli.video import VideoWriter, open_source

    with open_source(video, rotate=rotate) as source:
        info = source.info
        with VideoWriter(target, width=info.width, height=info.height, source=video, info=info) as writer:
            for frame in source.frames():
                time_s = frame.time_s if frame.pts is None else None
                writer.write(frame.image, pts=frame.pts, time_s=time_s)
