"""What the detector is trained towards, and its losses.

Shapes: B batch, H and W height and width in cells, N people of a picture, M regions to ignore.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.nn.detector import Dense, cell_centers

# Cells within this share of the box's half-size from its centre answer for the person; at least the nearest ones.
CENTER_REGION = 0.35
MIN_REGION = 6.0  # pixels
FOCAL_POWER = 2.0
BOX_WEIGHT = 2.0


class Assignment(NamedTuple):
    """What one picture's cells should predict."""

    positive_HW: Tensor  # bool
    boxes_HW4: Tensor
    counted_HW: Tensor  # bool; False where regions are ignored


def assign(boxes_N4: Tensor, ignored_M4: Tensor, height: int, width: int) -> Assignment:
    """Each cell near a person's centre gets the person whose centre is nearest in units of its box."""
    centers_HW2 = cell_centers(height, width, boxes_N4.device)
    counted_HW = ~_inside(centers_HW2, ignored_M4).any(-1)
    if len(boxes_N4) == 0:
        empty = torch.zeros(height, width, dtype=torch.bool, device=boxes_N4.device)
        return Assignment(empty, boxes_N4.new_zeros(height, width, 4), counted_HW)
    middle_N2 = (boxes_N4[:, :2] + boxes_N4[:, 2:]) / 2
    reach_N2 = ((boxes_N4[:, 2:] - boxes_N4[:, :2]) / 2 * CENTER_REGION).clamp(min=MIN_REGION)
    offset_HWN = ((centers_HW2[..., None, :] - middle_N2) / reach_N2).square().sum(-1)
    nearest_HW, person_HW = offset_HWN.min(-1)
    positive_HW = nearest_HW <= 1
    return Assignment(positive_HW, boxes_N4[person_HW], counted_HW | positive_HW)


def _inside(points_HW2: Tensor, boxes_M4: Tensor) -> Tensor:
    points = points_HW2[..., None, :]
    return ((points >= boxes_M4[:, :2]) & (points <= boxes_M4[:, 2:])).all(-1)


def detection_loss(
    dense: Dense, boxes: list[Tensor], ignored: list[Tensor]
) -> tuple[Tensor, dict[str, float]]:
    """Quality focal loss of the scores plus generalised IoU loss of the boxes, over the positive cells' number."""
    _, height, width = dense.logits_BHW.shape
    parts = [assign(b, i, height, width) for b, i in zip(boxes, ignored, strict=True)]
    positive_BHW = torch.stack([part.positive_HW for part in parts])
    target_BHW4 = torch.stack([part.boxes_HW4 for part in parts])
    counted_BHW = torch.stack([part.counted_HW for part in parts])
    overlap_P, generalised_P = box_overlap(dense.boxes_BHW4[positive_BHW], target_BHW4[positive_BHW])
    quality_BHW = torch.zeros_like(dense.logits_BHW)
    quality_BHW[positive_BHW] = overlap_P.detach().clamp(0, 1)
    score_loss = (quality_focal(dense.logits_BHW, quality_BHW) * counted_BHW).sum()
    count = positive_BHW.sum().clamp(min=1)
    # Where the box is good it also matters more: weights follow the quality, as in Generalized Focal Loss.
    weight_P = quality_BHW[positive_BHW].clamp(min=0.1)
    box_loss = BOX_WEIGHT * (weight_P * (1 - generalised_P)).sum() / weight_P.sum().clamp(min=1)
    score_loss = score_loss / count
    overlap = float(overlap_P.mean().detach()) if len(overlap_P) else 0.0
    return score_loss + box_loss, {"score_loss": float(score_loss.detach()), "overlap": overlap}


def quality_focal(logits: Tensor, quality: Tensor) -> Tensor:
    """Cross entropy to a soft target, weighted by how far the score is from it (GFL, eq. 5)."""
    distance = (logits.detach().sigmoid() - quality).abs()
    return distance**FOCAL_POWER * F.binary_cross_entropy_with_logits(logits, quality, reduction="none")


def box_overlap(a_P4: Tensor, b_P4: Tensor) -> tuple[Tensor, Tensor]:
    """Pairwise IoU and generalised IoU (Rezatofighi et al., CVPR 2019)."""
    area = [(box[:, 2:] - box[:, :2]).clamp(min=0).prod(-1) for box in (a_P4, b_P4)]
    low, high = torch.maximum(a_P4[:, :2], b_P4[:, :2]), torch.minimum(a_P4[:, 2:], b_P4[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (area[0] + area[1] - shared).clamp(min=1e-6)
    low, high = torch.minimum(a_P4[:, :2], b_P4[:, :2]), torch.maximum(a_P4[:, 2:], b_P4[:, 2:])
    hull = (high - low).prod(-1).clamp(min=1e-6)
    iou = shared / union
    return iou, iou - (hull - union) / hull
