"""From refined features to heatmaps.

Legend: n pictures, D channels, K joints, H and W height and width of the token grid, h and w of the heatmaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

Upsampler = Literal["deconvolution", "pixel_shuffle"]


class Head(nn.Module):
    """3x3 convolution to K joints (paper, section 3.3), and what it takes to reach the heatmaps' size."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dim: int
        joints: int
        upsample: int = 0  # times that height and width double
        # deconvolution: stages as in ViTPose's classic head before the 3x3; pixel_shuffle: the 3x3 predicts
        # all cells.
        upsampler: Upsampler = "deconvolution"
        zero_init: bool = False  # start with heatmaps of zeros

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        shuffle = config.upsampler == "pixel_shuffle"
        factor = 2**config.upsample if shuffle else 1
        stages = 0 if shuffle else config.upsample
        self.upsample = nn.Sequential(*(_deconvolution(config.dim) for _ in range(stages)))
        self.heatmaps = nn.Conv2d(config.dim, config.joints * factor**2, kernel_size=3, padding=1)
        self.shuffle = nn.PixelShuffle(factor)
        if config.zero_init:
            nn.init.zeros_(self.heatmaps.weight)
            nn.init.zeros_(self.heatmaps.bias)  # type: ignore[arg-type]

    def forward(self, x_nDHW: Tensor) -> Tensor:
        """(n, D, H, W) to (n, K, h, w), raw."""
        return self.shuffle(self.heatmaps(self.upsample(x_nDHW)))


def _deconvolution(dim: int) -> nn.Sequential:
    """Doubles height and width."""
    transposed = nn.ConvTranspose2d(dim, dim, kernel_size=4, stride=2, padding=1, bias=False)
    return nn.Sequential(transposed, nn.BatchNorm2d(dim), nn.ReLU(inplace=True))
