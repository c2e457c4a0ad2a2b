"""Modulated deformable 1x1 convolution (Zhu et al., "Deformable ConvNets v2", CVPR 2019), three equal ways.

With one tap it is a bilinear sample at a shifted position, times a modulation, through a linear map.
torchvision's operator is made for many taps; on a CPU one gather of four weighted pixels is about ten times
faster.

Legend: n pictures, H and W height and width, D channels.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.errors import PosecliError

Sampler = Literal["auto", "gather", "grid_sample", "deform_conv2d"]
SAMPLERS: tuple[str, ...] = get_args(Sampler)
_FASTEST = {"cpu": "gather", "cuda": "deform_conv2d"}


def deformable_conv1x1(
    x_nHWD: Tensor,
    offset_n2HW: Tensor,
    modulation_n1HW: Tensor,
    weight_DD: Tensor,
    bias_D: Tensor,
    sampler: Sampler = "auto",
) -> Tensor:
    """x sampled bilinearly at every pixel's own offset (dy, dx in pixels; zero outside), scaled, and mapped.

    weight_DD: (channels out, channels in). "auto" takes gather on a CPU, deform_conv2d (torchvision) on
    CUDA and grid_sample elsewhere. Returns (n, H, W, D).

    Raises:
        PosecliError: the sampler is unknown.
    """
    chosen = _FASTEST.get(x_nHWD.device.type, "grid_sample") if sampler == "auto" else sampler
    if chosen == "deform_conv2d":
        return _deform_conv2d(x_nHWD, offset_n2HW, modulation_n1HW, weight_DD, bias_D)
    if chosen not in SAMPLERS:
        raise PosecliError(f"temporal.sampler: {sampler!r} is not one of {', '.join(SAMPLERS)}")
    sample = _gather if chosen == "gather" else _grid_sample
    return F.linear(sample(x_nHWD, offset_n2HW, modulation_n1HW), weight_DD, bias_D)


def _positions(offset_n2HW: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns to sample at, each (n, H, W)."""
    dy_nHW, dx_nHW = offset_n2HW.unbind(1)
    height, width = offset_n2HW.shape[2:]
    rows_H1 = torch.arange(height, device=offset_n2HW.device, dtype=offset_n2HW.dtype)[:, None]
    columns_W = torch.arange(width, device=offset_n2HW.device, dtype=offset_n2HW.dtype)
    return dy_nHW + rows_H1, dx_nHW + columns_W


def _gather(x_nHWD: Tensor, offset_n2HW: Tensor, modulation_n1HW: Tensor) -> Tensor:
    """The four neighbours (the 4 in names) of every position, weighted, as bags of pixels."""
    n, height, width, channels = x_nHWD.shape
    y_nHW, x_nHW = _positions(offset_n2HW)
    top_nHW, left_nHW = y_nHW.floor(), x_nHW.floor()
    below_nHW, right_nHW = y_nHW - top_nHW, x_nHW - left_nHW
    rows_nHW4 = torch.stack([top_nHW, top_nHW, top_nHW + 1, top_nHW + 1], -1)
    columns_nHW4 = torch.stack([left_nHW, left_nHW + 1, left_nHW, left_nHW + 1], -1)
    vertical_nHW2 = torch.stack([1 - below_nHW, below_nHW], -1) * modulation_n1HW[:, 0, :, :, None]
    horizontal_nHW2 = torch.stack([1 - right_nHW, right_nHW], -1)
    weights_nHW4 = (vertical_nHW2[..., :, None] * horizontal_nHW2[..., None, :]).flatten(-2)
    inside = (rows_nHW4 >= 0) & (rows_nHW4 < height) & (columns_nHW4 >= 0) & (columns_nHW4 < width)
    pixels_nHW4 = (rows_nHW4.clamp(0, height - 1) * width + columns_nHW4.clamp(0, width - 1)).long()
    first_pixel = torch.arange(n, device=x_nHWD.device)[:, None, None, None] * (height * width)
    bags = F.embedding_bag(
        (pixels_nHW4 + first_pixel).view(-1, 4),
        x_nHWD.reshape(-1, channels),
        per_sample_weights=(weights_nHW4 * inside).view(-1, 4),
        mode="sum",
    )
    return bags.view(n, height, width, channels)


def _grid_sample(x_nHWD: Tensor, offset_n2HW: Tensor, modulation_n1HW: Tensor) -> Tensor:
    height, width = x_nHWD.shape[1:3]
    y_nHW, x_nHW = _positions(offset_n2HW)
    # Pixel centres of grid_sample without align_corners, which also holds for a side of one pixel.
    grid_nHW2 = torch.stack([(2 * x_nHW + 1) / width - 1, (2 * y_nHW + 1) / height - 1], -1)
    sampled_nDHW = F.grid_sample(x_nHWD.permute(0, 3, 1, 2), grid_nHW2, align_corners=False)
    return (sampled_nDHW * modulation_n1HW).permute(0, 2, 3, 1)


def _deform_conv2d(
    x_nHWD: Tensor, offset_n2HW: Tensor, modulation_n1HW: Tensor, weight_DD: Tensor, bias_D: Tensor
) -> Tensor:
    from torchvision.ops import deform_conv2d

    weight_DD11 = weight_DD[:, :, None, None]
    y_nDHW = deform_conv2d(x_nHWD.permute(0, 3, 1, 2), offset_n2HW, weight_DD11, bias_D, mask=modulation_n1HW)
    return y_nDHW.permute(0, 2, 3, 1)
