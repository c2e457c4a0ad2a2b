"""Heatmaps from keypoints, and keypoints from heatmaps.

Crop pixels and heatmap cells are related as UDP has it: the first and the last centres of both coincide, so a cell is
(crop size - 1) / (heatmap size - 1) pixels.

Shapes: B batch, K keypoints, H and W height and width of the heatmap, S side of the window around a peak.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

DecodeMethod = Literal["dark", "quarter", "argmax"]
HeatmapKind = Literal["linear", "softmax"]

# DARK (Zhang et al., CVPR 2020): the Gaussian that smooths a heatmap before its logarithm, and the clip in between.
DARK_KERNEL = 11
DARK_CLIP = (1e-3, 50.0)
# Nearer to a border than this (cells) DARK leaves the peak where it is: what lies beyond would draw it inwards.
DARK_MARGIN = 2
# A keypoint's score, for softmax heatmaps: the probability within this many cells of the peak on either axis, at most.
# In the default geometry (crop 256 high, box enlarged 1.25, cells of 4 pixels) that is a tenth of the box's height,
# unless the box is wider than the crop: then the person is smaller in it.
SCORE_RADIUS = 5
# Scores are kept this far from 0 and 1 before their logit is taken.
LOGIT_MARGIN = 1e-6


def gaussian_targets(cells_BK2: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Gaussian heatmaps (eq. 9's targets), peak 1, with exact sub-cell centres.

    Args:
        cells_BK2: x, y in heatmap cells.
        size: (H, W).
        sigma: standard deviation in cells.
    """
    rows_H = torch.arange(size[0], device=cells_BK2.device, dtype=cells_BK2.dtype)
    columns_W = torch.arange(size[1], device=cells_BK2.device, dtype=cells_BK2.dtype)
    x_BKW = torch.exp(-((columns_W - cells_BK2[..., 0:1]) ** 2) / (2 * sigma**2))
    y_BKH = torch.exp(-((rows_H - cells_BK2[..., 1:2]) ** 2) / (2 * sigma**2))
    return y_BKH[..., :, None] * x_BKW[..., None, :]


def decode(
    heatmaps_BKHW: Tensor,
    method: DecodeMethod = "dark",
    kind: HeatmapKind = "linear",
    radius_B: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Keypoints from heatmaps.

    Args:
        heatmaps_BKHW: raw network output; for "softmax" these are logits over the cells.
        method: "dark", one Newton step on the logarithm of the smoothed heatmap; "quarter", a quarter cell from the
            peak towards its higher neighbour (the habit of the PoseTrack papers); "argmax", the peak's own cell.
        kind: how the network was trained, which says what a score is: the peak's height ("linear"), or the probability
            near it ("softmax").
        radius_B: how near that is, in cells on either axis, at most SCORE_RADIUS; None: SCORE_RADIUS. The cells that
            it cuts count in part.

    Returns:
        (B, K, 2) x, y in heatmap cells, and (B, K) scores in 0..1, not calibrated (see `calibrate`).
    """
    heatmaps_BKHW = heatmaps_BKHW.float()
    width = heatmaps_BKHW.shape[-1]
    best_BK, position_BK = heatmaps_BKHW.flatten(2).max(-1)
    peak_BK2 = torch.stack([position_BK % width, position_BK // width], -1)
    if kind == "softmax":
        heatmaps_BKHW = torch.exp(heatmaps_BKHW - best_BK[..., None, None])
        total_BK = heatmaps_BKHW.sum((-2, -1))
        window_BKSS = _window(heatmaps_BKHW, peak_BK2, SCORE_RADIUS)
        if radius_B is not None:
            window_BKSS = window_BKSS * _near(radius_B.to(window_BKSS))
        score_BK = window_BKSS.sum((-2, -1)) / total_BK
    else:
        score_BK = best_BK.clamp(0, 1)
    if method == "argmax":
        return peak_BK2.float(), score_BK
    shift_BK2 = (
        _dark_shift(heatmaps_BKHW, peak_BK2) if method == "dark" else _quarter_shift(heatmaps_BKHW, peak_BK2)
    )
    return peak_BK2 + shift_BK2, score_BK


def calibrate(scores_BK: Tensor, slope_K: Tensor, offset_K: Tensor) -> Tensor:
    """Scores as probabilities: a logistic law on their logit, sigmoid(slope * logit(score) + offset).

    That is Platt's scaling (Advances in Large Margin Classifiers, 1999) with a law for each keypoint;
    posecli.metrics.calibration fits it.
    """
    logit_BK = torch.logit(scores_BK, eps=LOGIT_MARGIN)
    return torch.sigmoid(slope_K * logit_BK + offset_K)


def cells_to_crop(cells: Tensor, heatmap_size: tuple[int, int], crop_size: tuple[int, int]) -> Tensor:
    """Heatmap cells (..., 2) to crop pixels; sizes are (height, width)."""
    return cells * _pixels_per_cell(heatmap_size, crop_size).to(cells)


def crop_to_cells(pixels: Tensor, heatmap_size: tuple[int, int], crop_size: tuple[int, int]) -> Tensor:
    """Crop pixels (..., 2) to heatmap cells; sizes are (height, width)."""
    return pixels / _pixels_per_cell(heatmap_size, crop_size).to(pixels)


def _pixels_per_cell(heatmap_size: tuple[int, int], crop_size: tuple[int, int]) -> Tensor:
    (height, width), (crop_height, crop_width) = heatmap_size, crop_size
    return torch.tensor([(crop_width - 1) / (width - 1), (crop_height - 1) / (height - 1)])


def _window(heatmaps_BKHW: Tensor, peak_BK2: Tensor, radius: int) -> Tensor:
    """The (2 radius + 1) square around each peak, zero outside the heatmap."""
    padded = F.pad(heatmaps_BKHW, (radius, radius, radius, radius))
    width = padded.shape[-1]
    steps = torch.arange(2 * radius + 1, device=padded.device)
    offsets_S2 = (steps[:, None] * width + steps).flatten()
    index_BKS2 = (peak_BK2[..., 1] * width + peak_BK2[..., 0])[..., None] + offsets_S2
    side = 2 * radius + 1
    return padded.flatten(2).gather(-1, index_BKS2).unflatten(-1, (side, side))


def _near(radius_B: Tensor) -> Tensor:
    """(B, 1, S, S) how much each cell of the window of SCORE_RADIUS counts: 1 within a radius, 0 a cell beyond it."""
    steps_S = torch.arange(-SCORE_RADIUS, SCORE_RADIUS + 1, device=radius_B.device)
    line_BS = (radius_B[:, None] + 1 - steps_S.abs()).clamp(0, 1)
    return (line_BS[:, :, None] * line_BS[:, None, :])[:, None]


def _dark_shift(heatmaps_BKHW: Tensor, peak_BK2: Tensor) -> Tensor:
    """One Newton step to the maximum of the log of the smoothed heatmap, in cells; at most a cell on either axis."""
    window_BKSS = _window(heatmaps_BKHW, peak_BK2, DARK_KERNEL // 2 + 2)
    kernel = _gaussian_kernel(DARK_KERNEL).to(window_BKSS)
    side = window_BKSS.shape[-1]
    smooth = F.conv2d(window_BKSS.reshape(-1, 1, side, side), kernel[None, None])
    log_BK55 = smooth.clamp(*DARK_CLIP).log().view(*peak_BK2.shape[:2], 5, 5)
    dx = (log_BK55[..., 2, 3] - log_BK55[..., 2, 1]) / 2
    dy = (log_BK55[..., 3, 2] - log_BK55[..., 1, 2]) / 2
    center = log_BK55[..., 2, 2]
    dxx = (log_BK55[..., 2, 4] - 2 * center + log_BK55[..., 2, 0]) / 4
    dyy = (log_BK55[..., 4, 2] - 2 * center + log_BK55[..., 0, 2]) / 4
    dxy = (log_BK55[..., 3, 3] - log_BK55[..., 1, 3] - log_BK55[..., 3, 1] + log_BK55[..., 1, 1]) / 4
    determinant = dxx * dyy - dxy * dxy
    # Only a proper maximum has a step; elsewhere (where it is flat) the peak's own cell stands.
    proper = (determinant > 1e-9) & (dxx < 0)
    safe = torch.where(proper, determinant, torch.ones_like(determinant))
    shift = torch.stack([-(dyy * dx - dxy * dy) / safe, -(dxx * dy - dxy * dx) / safe], -1)
    last_2 = torch.tensor(heatmaps_BKHW.shape[:-3:-1], device=peak_BK2.device) - 1
    inner_BK2 = (peak_BK2 >= DARK_MARGIN) & (peak_BK2 <= last_2 - DARK_MARGIN)
    return torch.where(proper[..., None] & inner_BK2, shift.clamp(-1, 1), torch.zeros_like(shift))


def _quarter_shift(heatmaps_BKHW: Tensor, peak_BK2: Tensor) -> Tensor:
    window_BK33 = _window(heatmaps_BKHW, peak_BK2, 1)
    dx = window_BK33[..., 1, 2] - window_BK33[..., 1, 0]
    dy = window_BK33[..., 2, 1] - window_BK33[..., 0, 1]
    return 0.25 * torch.stack([dx.sign(), dy.sign()], -1)


def _gaussian_kernel(side: int) -> Tensor:
    sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8  # OpenCV's rule for a kernel given by its size alone
    steps = torch.arange(side) - side // 2
    line = torch.exp(-(steps**2) / (2 * sigma**2))
    line = line / line.sum()
    return line[:, None] * line
