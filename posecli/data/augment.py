"""Augmentation: one random draw, applied alike to every frame of a window and to its keypoints.

Scale, rotation, flip and half body have DCPose's figures (Liu et al., CVPR 2021), which GLSMamba follows. Truncation is
GLSMamba's with our figures: it gives none. Shift, colours and blur are ours; 0 turns them off for the paper's recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.random import Generator

from posecli.geometry.crop import BOX_PADDING, Affine, CropBox, crop_affine
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Image

MIN_HALF_BODY_KEYPOINTS = 3
HALF_BODY_PADDING = 1.5  # of the crop around the keypoints' extent, instead of BOX_PADDING
LEFT, RIGHT, TOP, BOTTOM = range(4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Augmentation:
    """How far the random changes go. All zero: none."""

    scale: float = 0.35  # standard deviation of the box's scale
    scale_range: tuple[float, float] = (0.65, 1.35)
    shift: float = 0.04  # standard deviation of the box's shift, in units of its size
    rotation: float = 45.0  # standard deviation, degrees
    rotation_limit: float = 90.0
    rotation_probability: float = 0.6
    flip_probability: float = 0.5
    half_body_probability: float = 0.3
    half_body_keypoints: int = 8  # only people with more labelled keypoints than this
    truncation_probability: float = 0.15
    truncation_keep: tuple[float, float] = (0.5, 0.9)  # share of the box that stays
    color: float = 0.2  # standard deviation of gain and of each channel's gain (a third of it)
    blur_probability: float = 0.1
    view: tuple[float, float] = (1.0, 1.0)  # detector: how much of the picture's longer side a sample shows


NO_AUGMENTATION = Augmentation(
    scale=0, shift=0, rotation=0, rotation_probability=0, flip_probability=0, half_body_probability=0,
    truncation_probability=0, color=0, blur_probability=0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw: where the crop lies, whether it is mirrored, and what happens to its colours."""

    box: CropBox
    rotation: float  # degrees, about the box's centre
    mirror: bool
    gain: FloatArray  # (3,) factors of the colour channels
    offset: float  # added to all channels, 0..255
    blur: float  # standard deviation of a Gaussian, pixels of the crop; 0 is none

    def affine(self, size: tuple[int, int]) -> Affine:
        return crop_affine(self.box, size, self.rotation, self.mirror)

    def recolor(self, crop: Image) -> Image:
        if self.blur > 0:
            crop = cast(Image, cv2.GaussianBlur(crop, (0, 0), self.blur))
        if np.all(self.gain == 1) and self.offset == 0:
            return crop
        table = np.arange(256, dtype=np.float32)[:, None] * self.gain + self.offset
        return cast(Image, cv2.LUT(crop, np.clip(table, 0, 255).astype(np.uint8)[None]))


def draw(
    rng: Generator,
    config: Augmentation,
    box: FloatArray,
    keypoints: FloatArray,
    labelled: FloatArray,
    skeleton: Skeleton,
    size: tuple[int, int],
) -> Draw:
    """Draw an augmentation for one person.

    Args:
        box: (4,) xyxy. keypoints: (K, 2). labelled: (K,) 0 or 1; of the key frame.
        size: (height, width) of the crop.
    """
    if rng.random() < config.half_body_probability and labelled.sum() > config.half_body_keypoints:
        box = _half_body(rng, box, keypoints, labelled, skeleton)
    cut = None
    if rng.random() < config.truncation_probability:
        box, cut = _truncate(rng, box, config.truncation_keep)
    crop_box = CropBox.from_xyxy(box, size)
    scale = float(np.clip(1 + config.scale * rng.standard_normal(), *config.scale_range))
    shift_x, shift_y = config.shift * rng.standard_normal(2)
    rotated = rng.random() < config.rotation_probability
    angle = config.rotation * rng.standard_normal() if rotated else 0.0
    rotation = float(np.clip(angle, -config.rotation_limit, config.rotation_limit))
    crop_box = CropBox(
        crop_box.center_x + shift_x * crop_box.width,
        crop_box.center_y + shift_y * crop_box.height,
        crop_box.width * scale,
        crop_box.height * scale,
    )
    if cut is not None:
        crop_box = _end_at(crop_box, box, cut, rotation)
    return Draw(crop_box, rotation, bool(rng.random() < config.flip_probability), *_colors(rng, config))


def _colors(rng: Generator, config: Augmentation) -> tuple[FloatArray, float, float]:
    gain = (1 + config.color * rng.standard_normal()) * (1 + config.color / 3 * rng.standard_normal(3))
    offset = 64 * config.color * rng.standard_normal()
    blur = float(rng.uniform(0.5, 2.0)) if rng.random() < config.blur_probability else 0.0
    return np.clip(gain, 0.3, 2.0).astype(np.float32), float(offset), blur


def _half_body(
    rng: Generator, box: FloatArray, keypoints: FloatArray, labelled: FloatArray, skeleton: Skeleton
) -> FloatArray:
    """A box around the upper or the lower body, whichever is drawn or else has enough labels; else the given box."""
    lower_names = ("hip", "knee", "ankle")
    lower = np.array([name.endswith(lower_names) for name in skeleton.keypoints])
    halves = [lower & (labelled > 0), ~lower & (labelled > 0)]
    drawn, other = halves if rng.random() < 0.5 else halves[::-1]
    chosen = drawn if drawn.sum() >= MIN_HALF_BODY_KEYPOINTS else other
    if chosen.sum() < MIN_HALF_BODY_KEYPOINTS:
        return box
    low, high = keypoints[chosen].min(0), keypoints[chosen].max(0)
    # The crop adds BOX_PADDING to whatever box it is given.
    center, half = (low + high) / 2, (high - low) / 2 * HALF_BODY_PADDING / BOX_PADDING
    return np.concatenate([center - half, center + half]).astype(np.float32)


def _truncate(rng: Generator, box: FloatArray, keep: tuple[float, float]) -> tuple[FloatArray, int]:
    """The box with one random side cut away, and the side."""
    x0, y0, x1, y1 = (float(v) for v in box)
    share = rng.uniform(*keep)
    side = int(rng.integers(4))
    if side == LEFT:
        x0 = x1 - share * (x1 - x0)
    elif side == RIGHT:
        x1 = x0 + share * (x1 - x0)
    elif side == TOP:
        y0 = y1 - share * (y1 - y0)
    else:
        y1 = y0 + share * (y1 - y0)
    return np.array([x0, y0, x1, y1], np.float32), side


def _end_at(crop_box: CropBox, box: FloatArray, side: int, rotation: float) -> CropBox:
    """The crop moved so that its border lies on a side of a box: else its padding would show what was cut away.

    In a rotated crop the border turns about the point of the side that is nearest to the crop's centre.
    """
    x, y = crop_box.center_x, crop_box.center_y
    if side in (LEFT, RIGHT):
        x = float(box[0] if side == LEFT else box[2])
        inward_x, inward_y = crop_box.width / 2 * (1 if side == LEFT else -1), 0.0
    else:
        y = float(box[1] if side == TOP else box[3])
        inward_x, inward_y = 0.0, crop_box.height / 2 * (1 if side == TOP else -1)
    # The crop's axes in the picture are turned back by the rotation of its content (see crop_affine).
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    return CropBox(
        x + float(cos * inward_x + sin * inward_y),
        y + float(cos * inward_y - sin * inward_x),
        crop_box.width,
        crop_box.height,
    )
