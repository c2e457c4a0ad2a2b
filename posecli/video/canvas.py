"""Pictures brought to the one even size that a video has."""

from __future__ import annotations

from typing import cast

import numpy as np

from posecli.types import Image


def even(length: int) -> int:
    """The length itself or one more: 4:2:0 video halves its colour planes."""
    return length + length % 2


def pad_to_even(image: Image) -> Image:
    """Repeats the last row and column where the height or width is odd."""
    height, width = image.shape[:2]
    if height % 2 == width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def fit(image: Image, width: int, height: int) -> Image:
    """The picture as large as it goes into width x height, centred on black."""
    import cv2

    scale = min(width / image.shape[1], height / image.shape[0])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    scaled = cast(
        Image, cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    )
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[y : y + size[1], x : x + size[0]] = scaled
    return canvas
