"""Heatmap losses.

Shapes: B batch, K keypoints, H and W height and width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.geometry.heatmaps import gaussian_targets


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
    heatmaps_BKHW = heatmaps_BKHW.float()
    targets_BKHW = gaussian_targets(cells_BK2, (heatmaps_BKHW.shape[-2], heatmaps_BKHW.shape[-1]), sigma)
    per_keypoint = mean_squared if kind == "mse" else cross_entropy
    losses_BK = per_keypoint(heatmaps_BKHW, targets_BKHW)
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
