"""A teacher's heatmaps as targets for a student's: wherever the student's crop lies, turned and mirrored as it is.

Shapes: B batch, K keypoints, W cells of a kept window, H and V height and width of the student's heatmap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from posecli.geometry.crop import Affine, invert_affine
from posecli.geometry.heatmaps import cells_to_crop
from posecli.skeletons import COCO
from posecli.teachers.soft_labels import SoftLabels
from posecli.types import FloatArray

SEEN = 0.6  # a window of which the crop shows less is no target: the joint may lie outside


@dataclass(frozen=True, slots=True)
class SoftSample:
    """A teacher's opinion of one person, for one crop of it."""

    windows: NDArray[np.uint8]  # (K, W, W)
    origins: FloatArray  # (K, 2) pixels of the picture
    cell: float  # pixels of the picture
    weights: FloatArray  # (K,)
    to_picture: Affine  # (2, 3) crop pixels to the picture's


def soft_sample(
    labels: SoftLabels, index: int, affine: Affine, mirror: bool, ignored: FloatArray
) -> SoftSample:
    """
    Args:
        affine: picture to crop, with the mirroring.
        ignored: (K,) 1 for joints of the mirrored crop on which the teacher isn't asked.
    """
    order = np.array(COCO.flip) if mirror else np.arange(len(COCO.flip))
    return SoftSample(
        labels.windows[index][order],
        labels.origins[index][order],
        float(labels.cells[index]),
        labels.weights[index][order] * (1 - ignored),
        invert_affine(affine),
    )


def stack_soft(samples: list[SoftSample]) -> dict[str, Tensor]:
    """A batch as `soft_targets` takes it, under names of its own."""
    return {
        "soft_windows_BKWW": torch.from_numpy(np.stack([sample.windows for sample in samples])),
        "soft_origins_BK2": torch.from_numpy(np.stack([sample.origins for sample in samples])),
        "soft_cells_B": torch.tensor([sample.cell for sample in samples]),
        "soft_weights_BK": torch.from_numpy(np.stack([sample.weights for sample in samples])).float(),
        "soft_to_picture_B23": torch.from_numpy(np.stack([sample.to_picture for sample in samples])).float(),
    }


def soft_targets(
    batch: dict[str, Tensor], heatmap: tuple[int, int], crop: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Targets (B, K, H, V) with a peak of at most 1, and weights (B, K).

    Args:
        batch: of `stack_soft`.
        heatmap: (H, V) of the student. crop: (height, width) of its crop, pixels.
    """
    windows_BKWW = batch["soft_windows_BKWW"].float() / 255
    batch_size, keypoints, side, _ = windows_BKWW.shape
    grid_BKHV2 = _places_in_window(batch, heatmap, crop) * 2 / (side - 1) - 1
    targets_NHV = F.grid_sample(
        windows_BKWW.flatten(0, 1)[:, None], grid_BKHV2.flatten(0, 1), align_corners=True
    )[:, 0]
    targets_BKHV = targets_NHV.view(batch_size, keypoints, *heatmap)
    # How many cells of the student one of the teacher's covers: what a window shown whole would add up to.
    linear_B22 = batch["soft_to_picture_B23"][:, :, :2]
    pixels = cells_to_crop(torch.ones(2), heatmap, crop).prod()
    student_B = torch.linalg.det(linear_B22).abs() * pixels
    whole_BK = windows_BKWW.sum((-2, -1)) * (batch["soft_cells_B"] ** 2 / student_B)[:, None]
    shown_BK = targets_BKHV.sum((-2, -1)) >= SEEN * whole_BK
    return targets_BKHV, batch["soft_weights_BK"] * shown_BK * (whole_BK > 0)


def _places_in_window(batch: dict[str, Tensor], heatmap: tuple[int, int], crop: tuple[int, int]) -> Tensor:
    """(B, K, H, V, 2): where the student's cells lie in each joint's window, in its cells."""
    rows, columns = torch.meshgrid(torch.arange(heatmap[0]), torch.arange(heatmap[1]), indexing="ij")
    pixels_HV2 = cells_to_crop(torch.stack([columns, rows], -1).float(), heatmap, crop)
    affine_B23 = batch["soft_to_picture_B23"]
    pixels_HV2 = pixels_HV2.to(affine_B23.device)
    picture_BHV2 = (
        torch.einsum("bij,hvj->bhvi", affine_B23[:, :, :2], pixels_HV2) + affine_B23[:, None, None, :, 2]
    )
    origins_BK112 = batch["soft_origins_BK2"][:, :, None, None]
    return (picture_BHV2[:, None] - origins_BK112) / batch["soft_cells_B"][:, None, None, None, None]
