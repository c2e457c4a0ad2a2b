"""FFmpeg's containers opened for reading, and its errors in our words."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import av.logging

from posecli.errors import PosecliError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

# FFmpeg would report damage on standard error by itself; what matters is counted and said once by the reader.
av.logging.set_level(None)
av.logging.set_libav_level(av.logging.PANIC)

CAMERA = "camera:"
NETWORK_TIMEOUT_S = 30.0
# FFmpeg itself looks at 5 MB and 2500 packets at most before it decodes; every stream it finds costs memory.
LIMITS = {"max_streams": "200"}
NETWORK = {"rtsp_flags": "prefer_tcp"}  # else UDP is tried first, of which packets get lost
# Demuxers that claim plain text; what they draw is a picture of the text.
_TEXT_DEMUXERS = {"tty"}


def is_url(path: str | Path) -> bool:
    """Whether FFmpeg should fetch this over a network, "rtsp://..." for instance."""
    return "://" in str(path)


def is_camera(path: str | Path) -> bool:
    """Whether this names a camera of this machine: "camera:0"."""
    return str(path).startswith(CAMERA)


def is_live(path: str | Path) -> bool:
    """Whether this plays as it comes, and is no file."""
    return is_url(path) or is_camera(path)


def camera_device(name: str) -> tuple[str, str]:
    """A camera as FFmpeg must be given it on this system, and the input format that reads it.

    Args:
        name: what follows "camera:", a number from 0 or what the system calls it.
    """
    if sys.platform == "darwin":
        return name, "avfoundation"
    if sys.platform == "win32":
        return f"video={name}", "dshow"
    return f"/dev/video{name}" if name.isdigit() else name, "v4l2"


def ffmpeg_name(path: str | Path) -> str:
    """The path as FFmpeg must be given it, so that a colon in a file's name is not taken for a protocol."""
    return str(path) if is_url(path) else f"file:{path}"


def reason(error: BaseException) -> str:
    """FFmpeg's or the system's words for an error, without its number and file name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def open_container(path: str | Path) -> InputContainer:
    """Opens a video for reading.

    Raises:
        PosecliError: it is missing, empty, may not be read, or is in no format that FFmpeg knows.
    """
    name, format_ = ffmpeg_name(path), None
    if is_camera(path):
        name, format_ = camera_device(str(path).removeprefix(CAMERA))
    elif not is_url(path):
        _check_readable(Path(path))
    try:
        # Titles and other tags are often in an unnamed encoding: they must not stop the reading.
        container = av.open(
            name,
            format=format_,
            metadata_errors="replace",
            options=LIMITS | NETWORK,
            timeout=NETWORK_TIMEOUT_S if is_live(path) else None,
        )
    except av.error.InvalidDataError as error:
        raise PosecliError(
            f"{path} is not a video or picture that FFmpeg can read, or it was cut off while being recorded: "
            "check that it plays elsewhere"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise PosecliError(f"cannot open {path}: {reason(error)}") from error
    if container.format.name in _TEXT_DEMUXERS:
        container.close()
        raise PosecliError(f"{path} is a text file: give a video, a picture or a folder of pictures")
    return container


def stream_duration(stream: Stream) -> Fraction | None:
    """Seconds that a stream lasts by the file's word: its header's, or the tag's in Matroska files."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    match = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
    if match is None:
        return None
    hours, minutes, seconds = map(Fraction, match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError as error:
        raise PosecliError(f"{path} does not exist: check the path") from error
    except PermissionError as error:
        raise PosecliError(f"{path} may not be read: change its permissions (chmod u+r)") from error
    except OSError as error:
        raise PosecliError(f"cannot read {path}: {reason(error)}") from error
    if empty:
        raise PosecliError(f"{path} is empty: give a video, a picture or a folder of pictures")
