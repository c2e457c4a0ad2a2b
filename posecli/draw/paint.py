"""Paint on a part of a picture: what skeletons, trails and labels share."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.draw.style import OUTLINE, Colour
from posecli.types import FloatArray, Image

SUBPIXEL_BITS = 4  # OpenCV takes coordinates in sixteenths of a pixel
SAFE_DISTANCE = 8000  # pixels; farther points would overflow OpenCV's fixed-point numbers
MARGIN = 3  # pixels, for smoothed edges
SMOOTHING = 0.6  # pixels that OpenCV's smoothed polygons stand out on each side, as measured
STAMPS_PER_PIXEL = 4  # places of a disc's centre within a pixel


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


def paint(patch: Image, colour: Colour, mask: NDArray[np.uint8]) -> None:
    """Mixes a colour into a patch, by a mask (height, width) from 0 (the patch stays) to 255 (the colour alone)."""
    coloured = np.empty_like(patch)
    coloured[:] = colour
    patch[:] = blend(patch, coloured, np.divide(mask, 255, dtype=np.float32))


def blend(below: Image, above: Image, share: NDArray[np.float32]) -> Image:
    """above where share (height, width) is 1, below where it is 0."""
    return cast(Image, cv2.blendLinear(above, below, share, 1 - share))


def fill_line(
    patch: NDArray[np.uint8], ends: NDArray[np.floating], width: float, colour: Colour | int
) -> None:
    """A smoothed line between two points (2, 2), of any width; OpenCV's own come in odd whole pixels only."""
    along = (ends[1] - ends[0]).astype(np.float64)
    length = float(np.hypot(*along))
    if length < 1e-3:
        return
    half = max(width / 2 - SMOOTHING, 0.05)
    across = np.array([-along[1], along[0]]) * (half / length)
    corners = np.stack([ends[0] + across, ends[1] + across, ends[1] - across, ends[0] - across])
    cv2.fillConvexPoly(
        patch,
        fixed_point(corners),
        colour if isinstance(colour, tuple) else (colour,),
        cv2.LINE_AA,
        SUBPIXEL_BITS,
    )


def draw_disc(
    canvas: Image, centre: FloatArray, radius: float, outline: float, colour: Colour, alpha: float
) -> None:
    """A smoothed disc with a dark edge; OpenCV's small ones are diamonds.

    Args:
        centre: (2,) pixels.
        radius: pixels, without the outline.
        outline: pixels.
        alpha: opacity.
    """
    place = np.round(centre.astype(np.float64) * STAMPS_PER_PIXEL).astype(int)
    whole, part = place // STAMPS_PER_PIXEL, place % STAMPS_PER_PIXEL
    cover, light = _stamp(int(part[0]), int(part[1]), round(radius, 1), round(outline, 1), colour)
    reach = len(cover) // 2
    height, width = canvas.shape[:2]
    (x0, y0), (x1, y1) = whole - reach, whole + reach + 1
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if right <= left or bottom <= top:
        return
    region = canvas[top:bottom, left:right]
    inside = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
    mixed = region * (1 - alpha * cover[inside])
    mixed += alpha * light[inside]
    region[:] = mixed


@lru_cache(maxsize=4096)
def _stamp(
    x: int, y: int, radius: float, outline: float, colour: Colour
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A disc's coverage (size, size, 1), 0..1, and its colours times that (size, size, 3).

    Args:
        x, y: of the centre within the middle pixel, in parts of STAMPS_PER_PIXEL.
    """
    reach = int(radius + outline + 2)
    steps = np.arange(-reach, reach + 1)
    distance = np.hypot(steps - x / STAMPS_PER_PIXEL, steps[:, None] - y / STAMPS_PER_PIXEL)[..., None]
    whole, inner = ((size + 0.5 - distance).clip(0, 1) for size in (radius + outline, radius))
    light = (
        inner * np.array(colour) + (whole - inner) * np.array(OUTLINE) + 0.5 * (whole > 0)
    )  # to be rounded
    return whole.astype(np.float32), light.astype(np.float32)
