"""Heads made unrecognisable, for good."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.draw.paint import SAFE_DISTANCE, blend
from posecli.types import FloatArray, Image

CELLS = 5  # across a head: what is left of a face is about 5 x 6 colours
COLOUR_STEP = 16  # of 256; a cell's colour is coarse too, so that many frames do not add up to a fine one
BLUR = 0.6  # standard deviation, in cells
EDGE = 1.2  # where the blur has ended, in ovals; within 1 nothing of the picture is left
LEAST_RADIUS = 2.0  # pixels

# Ovals are rows of x, y, across, along, up_x, up_y: the centre, the half axes in pixels, and the unit vector along
# the longer axis, towards the head's top.


def anonymize(image: Image, ovals: FloatArray) -> Image:
    """A copy of the picture in which nothing is left of what is in the ovals but a few flat, blurred colours.

    Args:
        image: (height, width, 3) RGB uint8.
        ovals: (n, 6).
    """
    canvas = np.array(image, np.uint8, order="C")
    for oval in ovals:
        _cover(canvas, oval.astype(np.float64))
    return canvas


def _cover(canvas: Image, oval: NDArray[np.float64]) -> None:
    height, width = canvas.shape[:2]
    centre = oval[:2].clip(-SAFE_DISTANCE, SAFE_DISTANCE)
    across, along = np.maximum(oval[2:4], LEAST_RADIUS)
    reach = EDGE * max(across, along) + 1
    low = np.maximum(np.floor(centre - reach), 0).astype(int)
    high = np.minimum(np.ceil(centre + reach) + 1, (width, height)).astype(int)
    if (high <= low).any():
        return
    region = canvas[low[1] : high[1], low[0] : high[0]]
    share = _share(region, centre - low, across, along, oval[4:])
    region[:] = blend(region, _mosaic(region, 2 * across / CELLS), share)


def _share(
    region: Image, centre: NDArray[np.float64], across: float, along: float, up: NDArray[np.float64]
) -> NDArray[np.float32]:
    """(height, width): 1 within the oval, falling to 0 at EDGE times its size."""
    x = np.arange(region.shape[1], dtype=np.float32) - np.float32(centre[0])
    y = (np.arange(region.shape[0], dtype=np.float32) - np.float32(centre[1]))[:, None]
    up_x, up_y = up.astype(np.float32)
    aside = (x * up_y - y * up_x) / np.float32(across)
    ahead = (x * up_x + y * up_y) / np.float32(along)
    distance = cv2.magnitude(aside, ahead)
    return cast(NDArray[np.float32], ((EDGE - distance) / (EDGE - 1)).clip(0, 1))


def _mosaic(region: Image, cell: float) -> Image:
    height, width = region.shape[:2]
    cells = max(1, round(width / cell)), max(1, round(height / cell))
    means = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
    coarse = means // COLOUR_STEP * COLOUR_STEP + COLOUR_STEP // 2
    blurred = cv2.GaussianBlur(coarse, (0, 0), BLUR, borderType=cv2.BORDER_REPLICATE)
    return cast(Image, cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC))
