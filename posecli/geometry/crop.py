"""From a person's box to a crop of fixed size, and back.

The box is made as wide as the crop's aspect asks, enlarged, and mapped by the unbiased affine of Huang et al. (UDP,
CVPR 2020): the crop's first and last pixel centres, 0 and size - 1, lie on the enlarged box's sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.types import FloatArray, Image

Affine = NDArray[np.float64]  # (2, 3): p' = A[:, :2] @ p + A[:, 2]

BOX_PADDING = 1.25
# Beyond this reduction, bilinear sampling skips pixels and the picture is averaged down first.
MAX_BILINEAR_REDUCTION = 2.0


@dataclass(frozen=True, slots=True)
class CropBox:
    """A person's box, made to the crop's aspect and enlarged."""

    center_x: float
    center_y: float
    width: float
    height: float

    @classmethod
    def from_xyxy(cls, xyxy: FloatArray, size: tuple[int, int], padding: float = BOX_PADDING) -> CropBox:
        """xyxy: (4,) pixels. size: (height, width) of the crop."""
        x0, y0, x1, y1 = (float(v) for v in xyxy)
        width, height = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
        aspect = size[1] / size[0]
        width, height = max(width, height * aspect), max(height, width / aspect)
        return cls((x0 + x1) / 2, (y0 + y1) / 2, width * padding, height * padding)


def crop_affine(box: CropBox, size: tuple[int, int], rotation: float = 0.0, mirror: bool = False) -> Affine:
    """The affine that maps a picture's pixels to a crop's.

    Args:
        box: the enlarged box.
        size: (height, width) of the crop in pixels.
        rotation: turns the crop's content by this angle about the box's centre, degrees.
        mirror: left and right exchanged after that.
    """
    height, width = size
    scale_x, scale_y = (width - 1) / box.width, (height - 1) / box.height
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    linear = np.array([[cos, -sin], [sin, cos]]) * [[scale_x], [scale_y]]
    offset = np.array([(width - 1) / 2, (height - 1) / 2]) - linear @ [box.center_x, box.center_y]
    affine = np.column_stack([linear, offset])
    if mirror:
        affine[0] = -affine[0]
        affine[0, 2] += width - 1
    return affine


def box_affine(xyxy: FloatArray, size: tuple[int, int], padding: float = BOX_PADDING) -> Affine:
    """Picture to the crop of `size` (height, width) around a person's box (4,), made to its aspect and enlarged."""
    return crop_affine(CropBox.from_xyxy(xyxy, size, padding), size)


def apply_affine(affine: Affine, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """points: (..., 2). The same shape, mapped."""
    return points @ affine[:, :2].T.astype(points.dtype) + affine[:, 2].astype(points.dtype)


def invert_affine(affine: Affine) -> Affine:
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def between_crops(first: Affine, second: Affine) -> Affine:
    """From the pixels of one crop to those of another of the same picture; both affines are picture to crop."""
    linear = second[:, :2] @ np.linalg.inv(first[:, :2])
    return np.column_stack([linear, second[:, 2] - linear @ first[:, 2]])


def warp(image: Image, affine: Affine, size: tuple[int, int], border: int = 0) -> Image:
    """The crop of `size` (height, width) that `affine` (picture to crop) cuts; grey `border` outside the picture.

    A reduction beyond MAX_BILINEAR_REDUCTION is averaged first: small crops of large pictures would alias.
    """
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    reduction = int(1 / max(scale, 1e-6))
    if reduction >= MAX_BILINEAR_REDUCTION:
        image, affine = _reduce(image, affine, size, reduction)
    crop = cv2.warpAffine(
        image, affine, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderValue=(border,) * 3
    )
    return cast(Image, crop)


def _reduce(image: Image, affine: Affine, size: tuple[int, int], factor: int) -> tuple[Image, Affine]:
    """The part of the picture that the crop shows, averaged down by an integer, and the affine that fits it."""
    height, width = size
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], np.float64)
    seen = apply_affine(invert_affine(affine), corners)
    limit = np.array(image.shape[1::-1])
    low = np.clip(np.floor(seen.min(0)).astype(int) - factor, 0, limit)
    low -= low % factor
    high = np.clip(np.ceil(seen.max(0)).astype(int) + factor + 1, 0, limit)
    part = image[low[1] : high[1], low[0] : high[0]]
    columns, rows = -(-(high - low) // factor)
    if columns == 0 or rows == 0:
        return image, affine
    # The picture's last rows and columns count too where the factor does not divide them.
    below, beside = rows * factor - part.shape[0], columns * factor - part.shape[1]
    padded = cv2.copyMakeBorder(part, 0, int(below), 0, int(beside), cv2.BORDER_REPLICATE)
    reduced = cv2.resize(padded, (int(columns), int(rows)), interpolation=cv2.INTER_AREA)
    # A reduced pixel u is centred at picture pixel (u + 0.5) * factor - 0.5 + low.
    offset = low + 0.5 * factor - 0.5
    return cast(Image, reduced), np.column_stack(
        [affine[:, :2] * factor, affine[:, :2] @ offset + affine[:, 2]]
    )
