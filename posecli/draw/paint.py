"""Paint on a part of a picture: what skeletons, trails and labels share."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.types import FloatArray, Image

SUBPIXEL_BITS = 4  # OpenCV takes coordinates in sixteenths of a pixel
SAFE_DISTANCE = 8000  # pixels; farther points would overflow OpenCV's fixed-point numbers
MARGIN = 3  # pixels, for outlines and smoothed edges


def within_reach(point: FloatArray) -> bool:
    """Whether a point is near enough to be drawn; NaN is not."""
    return bool((np.abs(point) < SAFE_DISTANCE).all())


def fixed_point(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Coordinates as OpenCV's drawing takes them."""
    return np.round(points * 2**SUBPIXEL_BITS).astype(np.int32)


def region_around(canvas: Image, points: FloatArray, reach: float) -> tuple[NDArray[np.int64], Image] | None:
    """The part of the canvas within reach of the points (n, 2): its corner (2,) and a view of it.

    None where no part of the canvas is.
    """
    height, width = canvas.shape[:2]
    low = np.maximum(np.floor(points.min(axis=0) - reach).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=0) + reach).astype(int) + 1, (width, height))
    if (high <= low).any():
        return None
    return low, canvas[low[1] : high[1], low[0] : high[0]]


def paint(patch: Image, colour: tuple[int, int, int], mask: NDArray[np.uint8]) -> None:
    """Mixes a colour into a patch, by a mask (height, width) from 0 (the patch stays) to 255 (the colour alone)."""
    coloured = np.empty_like(patch)
    coloured[:] = colour
    patch[:] = blend(patch, coloured, np.divide(mask, 255, dtype=np.float32))


def blend(below: Image, above: Image, share: NDArray[np.float32]) -> Image:
    """above where share (height, width) is 1, below where it is 0."""
    return cast(Image, cv2.blendLinear(above, below, share, 1 - share))
