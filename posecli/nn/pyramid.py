"""A small feature pyramid: coarse features carried down to finer ones (Lin et al., FPN, CVPR 2017).

Shapes: B batch, C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from posecli.nn.efficientnet import ConvNorm, pointwise


class TopDown(nn.Module):
    """Features of several resolutions, each half of the one before it, summed into the first of them.

    Args:
        channels_in: channels of the inputs, finest first.
        channels: channels of the result.
    """

    def __init__(self, channels_in: Sequence[int], channels: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(ConvNorm(pointwise(c, channels), linear=True) for c in channels_in)
        self.smooth = ConvNorm(nn.Conv2d(channels, channels, 3, padding=1, bias=False))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        laterals = [lateral(x_BCHW) for lateral, x_BCHW in zip(self.laterals, features, strict=True)]
        merged_BCHW = laterals[-1]
        for finer_BCHW in reversed(laterals[:-1]):
            merged_BCHW = finer_BCHW + F.interpolate(merged_BCHW, size=finer_BCHW.shape[-2:], mode="nearest")
        return self.smooth(merged_BCHW)
