"""What a person looks like: the colours of the upper, the middle and the lower part of the box.

A histogram of hue, saturation and value for each part, with square roots taken: the product of two such vectors is the
Bhattacharyya coefficient (Comaniciu et al., CVPR 2000), 1 for like colours and 0 where they share none.
docs/tracking.md compares it with features of the detector.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from posecli.types import FloatArray, Image

PARTS = 3  # from head to foot
WIDTH = 0.6  # share of the box, in its middle: arms and background are left out
BINS = (8, 4, 4)  # hue, saturation, value
RANGES = (0, 180, 0, 256, 0, 256)  # OpenCV's
MAX_SIDE = 32  # pixels of a part; larger ones are shrunk to half of it
LENGTH = PARTS * int(np.prod(BINS))


def appearance(image: Image, box: FloatArray) -> FloatArray:
    """(LENGTH,) of length 1: the look of what is in a box (4,) of the picture."""
    x0, y0, x1, y1 = box.astype(float)
    margin = (1 - WIDTH) / 2 * (x1 - x0)
    left, right = _pixels(x0 + margin, x1 - margin, image.shape[1])
    edges = np.linspace(y0, y1, PARTS + 1)
    parts = [_pixels(top, bottom, image.shape[0]) for top, bottom in pairwise(edges)]
    colours = [_colours(image[top:bottom, left:right]) for top, bottom in parts]
    return np.sqrt(np.concatenate(colours) / PARTS).astype(np.float32)


def _pixels(low: float, high: float, length: int) -> tuple[int, int]:
    """First and past-the-last pixel, at least one of them in the picture."""
    first = min(max(int(low), 0), length - 1)
    return first, min(max(int(high), first + 1), length)


def _colours(part: Image) -> FloatArray:
    """The part's histogram, which sums to 1."""
    import cv2

    if max(part.shape[:2]) > MAX_SIDE:
        part = np.asarray(
            cv2.resize(part, (MAX_SIDE // 2, MAX_SIDE // 2), interpolation=cv2.INTER_AREA), np.uint8
        )
    hsv = cv2.cvtColor(part, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), list(RANGES)).ravel()
    return np.asarray(counts / counts.sum(), np.float32)
