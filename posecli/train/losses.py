"""Losses: what a task hands to the loop, and those of heatmaps.

Shapes: B batch, K keypoints, H and W height and width.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.geometry.heatmaps import gaussian_targets


@dataclass(frozen=True, slots=True)
class Loss:
    """A batch's loss as a sum and what it is to be divided by, so that parts of a batch add up to the whole.

    The loop minimises sum(total) / max(sum(count), 1) over the parts of a step, wherever they were computed: the mean
    over the whole batch, not a mean of means, which would favour parts with few labels.
    """

    total: Tensor  # a scalar
    count: float | Tensor  # labels, people, pictures: what the total is a sum over
    values: dict[str, float] = field(default_factory=dict)  # what else to log: means, averaged by count

    @classmethod
    def of_mean(cls, mean: Tensor, count: float | Tensor, values: dict[str, float] | None = None) -> Loss:
        """From a mean, that is, a total that was divided by max(count, 1)."""
        divisor = count.detach().clamp(min=1) if isinstance(count, Tensor) else max(count, 1)
        return cls(mean * divisor, count, values or {})


def heatmap_loss(
    kind: str, heatmaps_BKHW: Tensor, cells_BK2: Tensor, weights_BK: Tensor, sigma: float
) -> Tensor:
    """Mean loss over the labelled keypoints.

    Args:
        kind: "mse" (eq. 9) or "cross_entropy".
        heatmaps_BKHW: the network's raw output.
        cells_BK2: true positions in heatmap cells.
        weights_BK: 0 leaves a keypoint out.
        sigma: of the Gaussian target, cells.
    """
    targets_BKHW = gaussian_targets(cells_BK2, (heatmaps_BKHW.shape[-2], heatmaps_BKHW.shape[-1]), sigma)
    return target_loss(kind, heatmaps_BKHW, targets_BKHW, weights_BK)


def target_loss(kind: str, heatmaps_BKHW: Tensor, targets_BKHW: Tensor, weights_BK: Tensor) -> Tensor:
    """The same against any targets (B, K, H, W) that are not negative."""
    per_keypoint = mean_squared if kind == "mse" else cross_entropy
    losses_BK = per_keypoint(heatmaps_BKHW.float(), targets_BKHW)
    return (losses_BK * weights_BK).sum() / weights_BK.sum().clamp(min=1)


def mean_squared(heatmaps_BKHW: Tensor, targets_BKHW: Tensor) -> Tensor:
    """The squared distance of heatmap and target, summed over cells: (B, K)."""
    return (heatmaps_BKHW - targets_BKHW).square().sum((-2, -1))


def cross_entropy(heatmaps_BKHW: Tensor, targets_BKHW: Tensor) -> Tensor:
    """Cross entropy of a softmax over all cells against the normalised target, less the target's own entropy: (B, K).

    Every joint has to be somewhere, so there is no plateau of all-zero heatmaps as with squared errors, and the softmax
    reads as where the joint is and how surely.
    """
    targets_BKC = targets_BKHW.flatten(2)
    targets_BKC = targets_BKC / targets_BKC.sum(-1, keepdim=True).clamp(min=1e-8)
    log_probability_BKC = F.log_softmax(heatmaps_BKHW.flatten(2), -1)
    entropy_BK = -torch.special.xlogy(targets_BKC, targets_BKC).sum(-1)
    return -(targets_BKC * log_probability_BKC).sum(-1) - entropy_BK
