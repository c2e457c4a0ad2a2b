"""Heatmap losses against closed forms."""

import pytest
import torch
import torch.nn.functional as F

from posecli.geometry.heatmaps import decode, gaussian_targets
from posecli.train.losses import cross_entropy, heatmap_loss, mean_squared

SIZE = (12, 9)
CELLS = torch.tensor([[[3.3, 4.6], [6.0, 7.2]]])
BOTH = torch.ones(1, 2)
TARGETS = gaussian_targets(CELLS, SIZE, 1.5)


def test_mean_squared_is_the_sum_over_cells():
    assert mean_squared(TARGETS, TARGETS).tolist() == [[0, 0]]
    heatmaps = TARGETS.clone()
    heatmaps[0, 1] += 0.5
    assert mean_squared(heatmaps, TARGETS)[0].tolist() == pytest.approx([0, 0.25 * 12 * 9])


def test_cross_entropy_is_zero_at_the_target():
    logits = TARGETS.double().log() + 3  # of the target's own distribution
    assert cross_entropy(logits, TARGETS.double()).abs().max() < 1e-6


def test_cross_entropy_is_the_divergence_from_the_target():
    torch.manual_seed(0)
    logits = torch.randn(1, 2, *SIZE)
    distribution = TARGETS / TARGETS.sum((-2, -1), keepdim=True)
    log_probability = F.log_softmax(logits.flatten(2), -1).view_as(logits)
    expected = F.kl_div(log_probability, distribution, reduction="none").sum((-2, -1))
    torch.testing.assert_close(cross_entropy(logits, TARGETS), expected)
    assert (expected > 0.1).all()


def test_target_far_outside_stays_finite():
    targets = gaussian_targets(torch.tensor([[[-500.0, 3.0]]]), SIZE, 1.5)
    assert torch.isfinite(cross_entropy(torch.zeros(1, 1, *SIZE), targets)).all()


@pytest.mark.parametrize("kind", ["mse", "cross_entropy"])
def test_loss_is_the_weighted_mean(kind):
    torch.manual_seed(0)
    heatmaps = torch.randn(1, 2, *SIZE)
    first, second = (
        heatmap_loss(kind, heatmaps, CELLS, torch.tensor([w]), 1.5) for w in ([1.0, 0], [0, 1.0])
    )
    weighted = heatmap_loss(kind, heatmaps, CELLS, torch.tensor([[3.0, 1.0]]), 1.5)
    assert float(first) != pytest.approx(float(second), rel=0.01)
    torch.testing.assert_close(weighted, (3 * first + second) / 4)
    assert heatmap_loss(kind, heatmaps, CELLS, torch.zeros(1, 2), 1.5) == 0


@pytest.mark.parametrize("kind", ["mse", "cross_entropy"])
def test_unlabelled_keypoints_get_no_gradient(kind):
    heatmaps = torch.randn(1, 2, *SIZE, requires_grad=True)
    heatmap_loss(kind, heatmaps, CELLS, torch.tensor([[1.0, 0.0]]), 1.5).backward()
    assert heatmaps.grad[0, 0].abs().sum() > 0
    assert heatmaps.grad[0, 1].abs().sum() == 0


@pytest.mark.parametrize(("kind", "rate"), [("mse", 0.2), ("cross_entropy", 20.0)])
def test_descent_leads_to_the_keypoint(kind, rate):
    heatmaps = torch.zeros(1, 2, *SIZE, requires_grad=True)
    for _ in range(60):
        (gradient,) = torch.autograd.grad(heatmap_loss(kind, heatmaps, CELLS, BOTH, 1.5), heatmaps)
        heatmaps = (heatmaps - rate * gradient).detach().requires_grad_()
    found, _ = decode(heatmaps.detach(), "dark", "softmax" if kind == "cross_entropy" else "linear")
    torch.testing.assert_close(found, CELLS, atol=0.4, rtol=0)
