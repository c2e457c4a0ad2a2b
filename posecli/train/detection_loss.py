"""What the detector is trained towards, and its losses.

Shapes: B batch, H and W height and width in cells, N people of a picture, M regions to ignore.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.nn.detector import Dense, cell_centers
from posecli.train.losses import Loss

# Which cells may answer for a person: those within this share of its box's half-size from the centre, and the nearest.
# Of large people not all of those: the more cells are as good as each other, the less any of them can be sure.
CANDIDATE_REGION = 0.7
MIN_REGION, MAX_REGION = 6.0, 24.0  # pixels
# So many of them do, whatever the person's size: else those near the camera would outweigh all others.
CELLS_PER_PERSON = 10
# Which ones: the best by score^0.5 IoU^6.
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
FOCAL_POWER = 2.0
BOX_WEIGHT = 2.0


class Assignment(NamedTuple):
    """What one picture's cells should predict."""

    quality_HW: Tensor  # the score; 0 for the background
    boxes_HW4: Tensor  # where quality is above 0
    counted_HW: Tensor  # bool; False where regions are ignored


@torch.no_grad()
def assign(
    logits_HW: Tensor, predicted_HW4: Tensor, boxes_N4: Tensor, confidence_N: Tensor, ignored_M4: Tensor
) -> Assignment:
    """Each person gets the cells that already do best on it (Feng et al., "TOOD", ICCV 2021).

    The best one's target is its IoU times the confidence that somebody is there; the others' targets are lower in
    proportion to how well they do.
    """
    height, width = logits_HW.shape
    centers_HW2 = cell_centers(height, width, boxes_N4.device)
    counted_HW = ~_inside(centers_HW2, ignored_M4).any(-1)
    if len(boxes_N4) == 0:
        return Assignment(torch.zeros_like(logits_HW), boxes_N4.new_zeros(height, width, 4), counted_HW)
    overlap_NM = _overlaps(boxes_N4, predicted_HW4.reshape(-1, 4))
    fit_NM = logits_HW.sigmoid().flatten() ** SCORE_POWER * overlap_NM**OVERLAP_POWER
    chosen_NM = _choose(fit_NM, _candidates(centers_HW2.reshape(-1, 2), boxes_N4))
    # A cell that two people want goes to the one that it fits better.
    person_M = torch.where(chosen_NM, overlap_NM, -1).argmax(0)
    chosen_NM &= person_M == torch.arange(len(boxes_N4), device=boxes_N4.device)[:, None]
    best_fit_N1 = torch.where(chosen_NM, fit_NM, 0).amax(1, keepdim=True).clamp(min=1e-30)
    best_overlap_N1 = torch.where(chosen_NM, overlap_NM, 0).amax(1, keepdim=True)
    quality_NM = torch.where(chosen_NM, fit_NM / best_fit_N1 * best_overlap_N1 * confidence_N[:, None], 0)
    quality_HW = quality_NM.amax(0).reshape(height, width)
    return Assignment(quality_HW, boxes_N4[person_M].reshape(height, width, 4), counted_HW | (quality_HW > 0))


def _candidates(centers_M2: Tensor, boxes_N4: Tensor) -> Tensor:
    """(N, M) bool."""
    middle_N12 = (boxes_N4[:, None, :2] + boxes_N4[:, None, 2:]) / 2
    half_N12 = (boxes_N4[:, None, 2:] - boxes_N4[:, None, :2]) / 2
    offset_NM = (
        ((centers_M2 - middle_N12) / (half_N12 * CANDIDATE_REGION).clamp(MIN_REGION, MAX_REGION))
        .square()
        .sum(-1)
    )
    return offset_NM <= 1


def _choose(fit_NM: Tensor, candidate_NM: Tensor) -> Tensor:
    """(N, M) bool: each person's best candidates."""
    count = min(CELLS_PER_PERSON, fit_NM.shape[1])
    best_NK = torch.where(candidate_NM, fit_NM, -1).topk(count).indices
    return torch.zeros_like(candidate_NM).scatter_(1, best_NK, True) & candidate_NM


def _inside(points_HW2: Tensor, boxes_M4: Tensor) -> Tensor:
    points = points_HW2[..., None, :]
    return ((points >= boxes_M4[:, :2]) & (points <= boxes_M4[:, 2:])).all(-1)


def _overlaps(a_N4: Tensor, b_M4: Tensor) -> Tensor:
    """(N, M) IoU of each of one with each of the other."""
    count_N, count_M = len(a_N4), len(b_M4)
    pairs = a_N4[:, None].expand(-1, count_M, -1), b_M4[None].expand(count_N, -1, -1)
    return box_overlap(*(pair.reshape(-1, 4) for pair in pairs))[0].reshape(count_N, count_M)


def detection_loss(
    dense: Dense, boxes: list[Tensor], confidence: list[Tensor], ignored: list[Tensor]
) -> Loss:
    """Quality focal loss of the scores plus generalised IoU loss of the boxes, both over the sum of the qualities."""
    items = zip(dense.logits_BHW, dense.boxes_BHW4, boxes, confidence, ignored, strict=True)
    parts = [assign(*item) for item in items]
    quality_BHW, target_BHW4, counted_BHW = (torch.stack(field) for field in zip(*parts, strict=True))
    positive_BHW = quality_BHW > 0
    weight_P = quality_BHW[positive_BHW]
    total = weight_P.sum().clamp(min=1)
    overlap_P, generalised_P = box_overlap(dense.boxes_BHW4[positive_BHW], target_BHW4[positive_BHW])
    score_loss = (quality_focal(dense.logits_BHW, quality_BHW) * counted_BHW).sum() / total
    # Where the box is good it also matters more: weights follow the quality, as in Generalized Focal Loss.
    box_loss = BOX_WEIGHT * (weight_P * (1 - generalised_P)).sum() / total
    overlap = float((weight_P * overlap_P.detach()).sum() / total)
    values = {"score_loss": float(score_loss.detach()), "overlap": overlap}
    return Loss.of_mean(score_loss + box_loss, weight_P.sum(), values)


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
