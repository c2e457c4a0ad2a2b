"""Can pictures and videos be read and written: OpenCV's system libraries, FFmpeg's codecs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

from posecli.cli.console import one_line
from posecli.doctor.finding import Finding, Status

IMPORT_TIMEOUT_S = 60
# Debian's package for each library that the wheels of OpenCV need and do not carry.
SYSTEM_PACKAGES = {
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
}


def opencv() -> Iterator[Finding]:
    """In a process of its own: a library that is missing or unfit may end it."""
    code = "import cv2; print(cv2.__version__)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=IMPORT_TIMEOUT_S, check=False
    )
    if result.returncode == 0:
        yield Finding("OpenCV", result.stdout.strip())
        return
    reason = (
        one_line(result.stderr.strip().rpartition("\n")[2]) or f"its import ended with {result.returncode}"
    )
    yield Finding("OpenCV", reason, "failed", _opencv_advice(reason))


def _opencv_advice(reason: str) -> str:
    for library, package in SYSTEM_PACKAGES.items():
        if library in reason:
            return (
                f"install {library} (Debian, Ubuntu: apt install {package}; Fedora: dnf provides {library}), or "
                "use the wheel that needs none: pip uninstall opencv-python && pip install opencv-python-headless"
            )
    return "pip install --force-reinstall opencv-python"


def codecs() -> Iterator[Finding]:
    """What FFmpeg inside PyAV can do of that which posecli asks of it."""
    import av

    from posecli.video.h264 import ENCODERS

    yield Finding("FFmpeg", f"{av.ffmpeg_version_info} (PyAV {av.__version__})")
    yield _codec("H.264 decoder", "r", ("h264",), "failed", "phone videos cannot be read")
    yield _codec("HEVC decoder", "r", ("hevc",), "missing", "HEVC videos cannot be read")
    yield _codec("H.264 encoder", "w", ENCODERS, "failed", "render cannot write videos")
    yield _codec("AAC encoder", "w", ("aac",), "missing", "sound that does not fit MP4 is left out")


def _codec(
    name: str, mode: Literal["r", "w"], candidates: tuple[str, ...], otherwise: Status, effect: str
) -> Finding:
    from av.codec.codec import Codec, UnknownCodecError

    for candidate in candidates:
        try:
            Codec(candidate, mode)
        except UnknownCodecError:
            continue
        return Finding(name, candidate)
    advice = f"{effect}: reinstall PyAV from its wheel (pip install --force-reinstall av)"
    return Finding(name, f"none of {', '.join(candidates)}", otherwise, advice)
