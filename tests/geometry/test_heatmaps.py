"""Heatmaps: what is encoded is found again."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from posecli.geometry.heatmaps import calibrate, cells_to_crop, crop_to_cells, decode, gaussian_targets

SIZE = (32, 24)


def positions(margin, count=40, seed=0):
    """(1, count, 2) x, y in cells, `margin` away from the borders."""
    rng = np.random.default_rng(seed)
    low, high = margin, np.array([SIZE[1] - 1 - margin, SIZE[0] - 1 - margin])
    return torch.from_numpy(rng.uniform(low, high, (1, count, 2))).float()


def as_kind(heatmaps, kind):
    return heatmaps.clamp(min=1e-30).log() + 3 if kind == "softmax" else heatmaps


def dark_by_the_whole_picture(heatmap):
    """DARK's decoding of one heatmap: blur it all, then a Newton step on its logarithm by central differences."""
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    line = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 2.0**2))  # OpenCV's sigma of an 11 x 11 kernel is 2
    kernel = np.outer(line, line) / line.sum() ** 2
    log = np.log(np.clip(ndimage.correlate(heatmap.astype(np.float64), kernel, mode="constant"), 1e-3, 50))
    gradient_rows, gradient_columns = np.gradient(log)
    (second_rows, mixed), (_, second_columns) = np.gradient(gradient_rows), np.gradient(gradient_columns)
    hessian = np.array(
        [[second_columns[row, column], mixed[row, column]], [mixed[row, column], second_rows[row, column]]]
    )
    gradient = np.array([gradient_columns[row, column], gradient_rows[row, column]])
    return np.array([column, row]) - np.linalg.solve(hessian, gradient)


def test_targets_are_gaussians_of_height_one():
    target = gaussian_targets(torch.tensor([[[7.0, 11.0]]]), SIZE, 2.0)[0, 0]
    assert target.shape == SIZE
    assert target[11, 7] == 1
    assert float(target[11, 9]) == pytest.approx(np.exp(-0.5))
    assert float(target[14, 8]) == pytest.approx(np.exp(-10 / 8))


@pytest.mark.parametrize("kind", ["linear", "softmax"])
@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0])
def test_dark_is_nearly_exact_on_gaussians(kind, sigma):
    cells = positions(margin=8)
    found, _ = decode(as_kind(gaussian_targets(cells, SIZE, sigma), kind), "dark", kind)
    assert float((found - cells).abs().max()) < 0.02


@pytest.mark.parametrize("kind", ["linear", "softmax"])
def test_quarter_is_within_a_quarter_cell(kind):
    cells = positions(margin=2)
    found, _ = decode(as_kind(gaussian_targets(cells, SIZE, 2.0), kind), "quarter", kind)
    assert float((found - cells).abs().max()) <= 0.2501
    assert float((found - cells).abs().max()) > 0.2  # and no better: it is not dark


def test_argmax_is_the_peaks_own_cell():
    cells = positions(margin=2)
    found, scores = decode(gaussian_targets(cells, SIZE, 2.0), "argmax")
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, cells.round(), rtol=0, atol=0)
    torch.testing.assert_close(scores, decode(gaussian_targets(cells, SIZE, 2.0), "dark")[1], rtol=0, atol=0)


def test_dark_equals_the_plain_implementation():
    noise = np.random.default_rng(0).uniform(0, 0.05, (1, 40, *SIZE))
    heatmaps = gaussian_targets(positions(margin=4), SIZE, 2.0) + torch.from_numpy(noise).float()
    found, _ = decode(heatmaps, "dark")
    expected = np.stack([dark_by_the_whole_picture(heatmap) for heatmap in heatmaps[0].numpy()])
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-3)


@pytest.mark.parametrize("method", ["dark", "quarter", "argmax"])
@pytest.mark.parametrize("kind", ["linear", "softmax"])
def test_peaks_at_borders_stay_near(method, kind):
    # Half a cell is what the peak's own cell can be off by; DARK must not draw peaks further inwards.
    width, height = SIZE[1] - 1.0, SIZE[0] - 1.0
    cells = torch.tensor([[[0.0, 0.0], [width, height], [0.3, 15.0], [11.6, height - 0.4], [width, 0.2]]])
    found, _ = decode(as_kind(gaussian_targets(cells, SIZE, 2.0), kind), method, kind)
    assert float((found - cells).abs().max()) < 0.51


@pytest.mark.parametrize("method", ["dark", "quarter", "argmax"])
@pytest.mark.parametrize("kind", ["linear", "softmax"])
@pytest.mark.parametrize("value", [-1e4, -1.0, 0.0, 0.7, 1e4])
def test_flat_maps_are_finite(method, kind, value):
    cells, scores = decode(torch.full((2, 3, *SIZE), value), method, kind)
    assert torch.isfinite(cells).all()
    assert torch.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_score_of_linear_maps_is_the_height_of_the_peak():
    heatmaps = torch.tensor([0.25, 1.7, -0.5])[None, :, None, None] * torch.ones(1, 3, *SIZE)
    assert decode(heatmaps, "quarter", "linear")[1].tolist() == [[0.25, 1.0, 0.0]]


def test_score_of_softmax_maps_is_the_probability_near_the_peak():
    # Two thirds of the probability in one cell, a sixth 5 cells away, a sixth 6 cells away.
    probability = torch.full((1, 1, *SIZE), 1e-20)
    probability[0, 0, 16, 12], probability[0, 0, 21, 7], probability[0, 0, 10, 12] = 4 / 6, 1 / 6, 1 / 6
    assert float(decode(probability.log() - 7, "dark", "softmax")[1]) == pytest.approx(5 / 6)


def test_a_smaller_radius_counts_the_cells_that_it_cuts_in_part():
    # A third of the probability each: at the peak, 2 cells beside it, 5 cells above it.
    probability = torch.full((4, 1, *SIZE), 1e-20)
    probability[:, 0, 16, 12], probability[:, 0, 16, 14], probability[:, 0, 11, 12] = 0.34, 0.33, 0.33
    radius = torch.tensor([5.0, 2.0, 1.25, 0.0])
    _, scores = decode(probability.log(), "dark", "softmax", radius)
    assert scores[:, 0].tolist() == pytest.approx([1.0, 0.67, 0.34 + 0.25 * 0.33, 0.34])


def test_the_widest_radius_is_the_one_without_any():
    heatmaps = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    everywhere = decode(heatmaps, "dark", "softmax")[1]
    assert torch.equal(decode(heatmaps, "dark", "softmax", torch.full((2,), 5.0))[1], everywhere)


def test_calibration_by_hand():
    # A logit of log 3 at three quarters: doubled, odds of 9; less log 9, even odds.
    scores = torch.tensor([[0.75, 0.75, 0.75]])
    slope, offset = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([0.0, 0.0, -float(np.log(9))])
    torch.testing.assert_close(calibrate(scores, slope, offset), torch.tensor([[0.75, 0.9, 0.5]]))


def test_calibration_keeps_order_and_bounds():
    scores = torch.tensor([0.0, 1e-9, 0.2, 0.9, 1.0])[:, None]
    found = calibrate(scores, torch.tensor([0.7]), torch.tensor([-0.4]))[:, 0]
    assert torch.isfinite(found).all()
    assert ((found > 0) & (found < 1)).all()
    assert (found.diff() >= 0).all()


def test_dark_moves_only_along_the_border_near_it():
    cells = torch.tensor([[[1.0, 14.3], [22.4, 9.6]]])
    found, _ = decode(gaussian_targets(cells, SIZE, 2.0), "dark")
    torch.testing.assert_close(found, torch.tensor([[[1.0, 14.3], [22.0, 9.6]]]), atol=0.02, rtol=0)


def test_half_precision_is_decoded_in_single():
    cells = positions(margin=8)
    found, _ = decode(gaussian_targets(cells, SIZE, 2.0).half(), "dark")
    assert found.dtype == torch.float32
    assert float((found - cells).abs().max()) < 0.03


def test_cells_and_crop_pixels_share_first_and_last_centre():
    corners = torch.tensor([[0.0, 0.0], [47.0, 63.0]])
    pixels = cells_to_crop(corners, (64, 48), (256, 192))
    torch.testing.assert_close(pixels, torch.tensor([[0.0, 0.0], [191.0, 255.0]]))
    torch.testing.assert_close(crop_to_cells(pixels, (64, 48), (256, 192)), corners)
