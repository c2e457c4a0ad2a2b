"""The second stream of a block: what of the main stream may pass, from each token's neighbourhood.

Legend: B windows, T frames, H and W height and width of the token grid, D channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from posecli.nn.layout import to_clip, to_pictures


class Gate(nn.Module):
    """Depth-wise 3x3 convolution in each frame, LayerNorm, SiLU (paper, section 3.2); (B, T, H, W, D)."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dim: int
        init: float = (
            1.0  # of the LayerNorm's weight; 0 starts closed, safe only with a residual around the product
        )

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.conv = nn.Conv2d(config.dim, config.dim, kernel_size=3, padding=1, groups=config.dim)
        self.norm = nn.LayerNorm(config.dim)
        nn.init.constant_(self.norm.weight, config.init)

    def forward(self, x_BTHWD: Tensor) -> Tensor:
        local_BTHWD = to_clip(self.conv(to_pictures(x_BTHWD)), x_BTHWD.shape[1])
        return F.silu(self.norm(local_BTHWD))
