"""Still pictures as a source: one, a folder of them, or those that match a pattern."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.types import Frame, Image, VideoInfo
from posecli.video.colour import over_black
from posecli.video.ffmpeg import reason
from posecli.video.orientation import Orientation
from posecli.video.source import Source
from posecli.video.timestamps import FALLBACK_RATE

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jp2", ".avif")
)

STDERR = 2  # the descriptor that C libraries write to
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_COLOUR_TYPE = 25  # the byte of a PNG's header that says what a pixel has (ISO/IEC 15948, 11.2.2)
PNG_TRUECOLOUR_WITH_ALPHA = 6


class Pictures(Source):
    """Pictures in the order given; they may differ in size. Unreadable ones are skipped with a warning.

    Args:
        path: what the user asked for, for messages.
        files: the pictures.
        rotate: degrees clockwise by which to turn each, instead of what its EXIF data say.

    Raises:
        PosecliError: not one of the pictures can be read.
    """

    def __init__(self, path: str | Path, files: Sequence[Path], *, rotate: int | None = None) -> None:
        self._files = files
        self._rotate = rotate
        self._warnings: list[str] = []
        first = next(self._images(), None)
        if first is None:
            why = self._warnings[0] if self._warnings else "there is none"
            raise PosecliError(f"no picture to read in {path}: {why}")
        self._warnings.clear()
        height, width = first[1].shape[:2]
        self.info = VideoInfo(str(path), width, height, None, None, len(files))

    def frames(self) -> Iterator[Frame]:
        for index, (file, image) in enumerate(self._images()):
            yield Frame(index, float(index / FALLBACK_RATE), image, name=file.name)

    def find(self, time_s: Fraction) -> tuple[int, int | None]:
        return math.ceil(time_s * FALLBACK_RATE), None

    @property
    def files(self) -> list[Path]:
        return list(self._files)

    @property
    def picture_names(self) -> list[str]:
        return [file.name for file in self._files]

    @property
    def warnings(self) -> list[str]:
        return list(self._warnings)

    def close(self) -> None:
        pass  # no file stays open between pictures

    def _images(self) -> Iterator[tuple[Path, Image]]:
        for file in self._files:
            try:
                image = read_picture(file, rotate=self._rotate)
            except PosecliError as error:
                self._warnings.append(f"skipped: {error}")
            else:
                yield file, image


def read_picture(path: Path, *, rotate: int | None = None) -> Image:
    """One picture, (height, width, 3) RGB uint8, upright by its EXIF orientation unless `rotate` is given.

    What is transparent in a PNG becomes black.

    Raises:
        PosecliError: it cannot be read or decoded.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise PosecliError(f"cannot read {path}: {reason(error)}") from error
    flags = cv2.IMREAD_COLOR if rotate is None else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        with _silent_decoders():
            bgr = cv2.imdecode(encoded, flags) if len(encoded) else None
    except cv2.error:  # absurd dimensions, for instance
        bgr = None
    if bgr is None:
        raise PosecliError(f"{path} is {'damaged or not a picture' if len(encoded) else 'empty'}: replace it")
    image = cast(Image, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    if _has_alpha(encoded):
        image = _over_black(image, encoded)
    return image if rotate is None else Orientation.from_turn(rotate).apply(image)


@contextmanager
def _silent_decoders() -> Iterator[None]:
    """OpenCV, libpng, libjpeg and libtiff print what they find wrong; the error or the picture says it."""
    sys.stderr.flush()
    kept, nowhere = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)


def _has_alpha(encoded: NDArray[np.uint8]) -> bool:
    head = encoded[: PNG_COLOUR_TYPE + 1].tobytes()
    return head.startswith(PNG_SIGNATURE) and head[PNG_COLOUR_TYPE:] == bytes([PNG_TRUECOLOUR_WITH_ALPHA])


def _over_black(image: Image, encoded: NDArray[np.uint8]) -> Image:
    """The picture over black, by the opacity that its PNG holds; left as it is where that is turned by EXIF."""
    alpha = cast(NDArray[Any], cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))[..., 3]
    if alpha.shape != image.shape[:2]:
        return image
    opacity = alpha if alpha.dtype == np.uint8 else (alpha // 257).astype(np.uint8)
    return over_black(np.dstack([image, opacity]))


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is a picture; hidden files (macOS's ._x.jpg) are none."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def natural_order(path: Path) -> list[tuple[int, str]]:
    """A key that sorts frame2.png before frame10.png."""
    parts = re.split(r"(\d+)", str(path.with_suffix("")))  # text and digits alternate
    return [(int(part) if i % 2 else 0, part) for i, part in enumerate(parts)]
