"""What happens to single frames of a window, so that the others count: blur, something in front, the dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from posecli.types import FloatArray, Image


@dataclass(frozen=True, kw_only=True, slots=True)
class Degradation:
    """Probabilities, each for a whole window."""

    motion_blur: float = 0.25
    occlusion: float = 0.35
    intrusion: float = 0.0
    darkness: float = 0.1
    compression: float = 0.15


def degrade(rng: Generator, crops: list[Image], config: Degradation) -> list[Image]:
    """The same frames, some of them worse; labels stay."""
    if rng.random() < config.motion_blur:
        crops = _blur_some(rng, crops)
    if rng.random() < config.occlusion:
        crops = _occlude(rng, crops)
    if config.intrusion and rng.random() < config.intrusion:
        crops = _intrude(rng, crops)
    if rng.random() < config.darkness:
        crops = _darken(rng, crops)
    if rng.random() < config.compression:
        quality = int(rng.integers(8, 40))
        crops = [compress(crop, quality) for crop in crops]
    return crops


def _blur_some(rng: Generator, crops: list[Image]) -> list[Image]:
    """A run of frames smeared along one direction."""
    kernel = motion_kernel(int(rng.integers(5, 26)), rng.uniform(0, 180))
    blurred = _run(rng, len(crops))
    return [
        cast(Image, cv2.filter2D(crop, -1, kernel)) if i in blurred else crop for i, crop in enumerate(crops)
    ]


def motion_kernel(length: int, angle: float) -> FloatArray:
    """A line of `length` pixels at `angle` degrees, summing to one: what an even motion does to a picture."""
    size = length | 1
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    step = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))]) * (length - 1) / 2
    start, end = (tuple(int(v) for v in np.round(middle + sign * step)) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1)
    return kernel / kernel.sum()


def _occlude(rng: Generator, crops: list[Image]) -> list[Image]:
    """A textured board that passes in front, on a run of frames."""
    height, width = crops[0].shape[:2]
    board_height, board_width = (int(side * rng.uniform(0.12, 0.5)) for side in (height, width))
    texture = _texture(rng, board_height, board_width)
    position = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    velocity = rng.normal(0, 0.04 * width, 2)
    covered = _run(rng, len(crops))
    result = []
    for i, crop in enumerate(crops):
        if i in covered:
            x, y = (position + velocity * i).astype(int)
            crop = paste(crop, texture, x - board_width // 2, y - board_height // 2)
        result.append(crop)
    return result


def _intrude(rng: Generator, crops: list[Image]) -> list[Image]:
    """Somebody else's limbs pass in front, on a run of frames: an oval cut out of the mirrored crop itself."""
    height, width = crops[0].shape[:2]
    half = np.array([width * rng.uniform(0.08, 0.28), height * rng.uniform(0.08, 0.28)])
    source = np.array([rng.uniform(0.2, 0.8) * width, rng.uniform(0.15, 0.85) * height])
    position = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    velocity = rng.normal(0, 0.04 * width, 2)
    covered = _run(rng, len(crops))
    ovals = [cut_oval(crop[:, ::-1], source, half) for crop in crops]
    return [
        paste_oval(crop, ovals[i], position + velocity * i) if i in covered else crop
        for i, crop in enumerate(crops)
    ]


def cut_oval(image: Image, center: NDArray[np.floating], half: NDArray[np.floating]) -> Image:
    """(2 half + 1) pixels around a point, with an oval alpha channel that fades at its rim."""
    columns, rows = (np.arange(-int(h), int(h) + 1) for h in half)
    size = (len(columns), len(rows))
    patch = cv2.getRectSubPix(np.ascontiguousarray(image), size, (float(center[0]), float(center[1])))
    radius = np.hypot((columns / max(half[0], 1.0))[None], (rows / max(half[1], 1.0))[:, None])
    alpha = np.clip((1 - radius) * 8, 0, 1) * 255
    return np.dstack([patch, alpha.astype(np.uint8)])


def paste_oval(image: Image, oval: Image, center: NDArray[np.floating]) -> Image:
    """A copy of `image` with an oval of cut_oval over it; what sticks out is cut off."""
    x, y = (int(v) for v in np.round(center) - np.array(oval.shape[1::-1]) // 2)
    opaque = paste(image, np.ascontiguousarray(oval[..., :3]), x, y)
    alpha = paste(np.zeros_like(image), np.repeat(oval[..., 3:], 3, -1), x, y).astype(np.float32) / 255
    return np.round(image + alpha * (opaque.astype(np.float32) - image)).astype(np.uint8)


def paste(image: Image, patch: Image, x: int, y: int) -> Image:
    """A copy of `image` with `patch` over it, its corner at (x, y); what sticks out is cut off."""
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + patch.shape[1], image.shape[1]), min(y + patch.shape[0], image.shape[0])
    image = image.copy()
    if x1 > x0 and y1 > y0:
        image[y0:y1, x0:x1] = patch[y0 - y : y1 - y, x0 - x : x1 - x]
    return image


def _texture(rng: Generator, height: int, width: int) -> Image:
    """Smooth random colours: neither flat nor noise."""
    coarse = rng.integers(0, 256, (int(rng.integers(1, 6)), int(rng.integers(1, 6)), 3), np.uint8)
    smooth = cv2.resize(coarse, (max(width, 1), max(height, 1)), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, rng.uniform(0, 12), smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def _darken(rng: Generator, crops: list[Image]) -> list[Image]:
    """Low light: little signal, much noise."""
    gain, sigma = rng.uniform(0.15, 0.5), rng.uniform(2, 8)
    return [
        np.clip(crop * gain + rng.normal(0, sigma, crop.shape), 0, 255).astype(np.uint8) for crop in crops
    ]


def compress(image: Image, quality: int) -> Image:
    """Through JPEG and back."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cast(Image, cv2.imdecode(data, cv2.IMREAD_COLOR))


def _run(rng: Generator, count: int) -> range:
    """Consecutive frames, at least one and not all."""
    length = int(rng.integers(1, max(count, 2)))
    start = int(rng.integers(0, count - length + 1))
    return range(start, start + length)
