"""Where and when a token is: eq. 4's embeddings.

Legend: B windows, T frames, H and W height and width of the token grid, C encoder channels, D channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posecli.errors import PosecliError


class Stem(nn.Module):
    """Linear(features) + sine-cosine spatial embedding + learnable temporal embedding (eq. 4)."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        channels: int
        dim: int
        frames: int
        grid: tuple[int, int]  # height, width

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.project = nn.Linear(config.channels, config.dim)
        self.temporal_TD = nn.Parameter(torch.empty(config.frames, config.dim))
        self.spatial_HWD: Tensor
        # Follows from the configuration, so no checkpoint needs to hold it.
        spatial_HWD = sine_cosine(config.grid, config.dim).to(self.temporal_TD.device)
        self.register_buffer("spatial_HWD", spatial_HWD, persistent=False)
        nn.init.trunc_normal_(self.temporal_TD, std=0.02)

    def forward(self, features_BTCHW: Tensor) -> Tensor:
        """(B, T, C, H, W) to (B, T, H, W, D).

        Raises:
            PosecliError: the features have another shape than the configuration says.
        """
        config = self.config
        expected = (config.frames, config.channels, *config.grid)
        if features_BTCHW.shape[1:] != expected:
            found = tuple(features_BTCHW.shape[1:])
            raise PosecliError(
                f"a window's features (frames, channels, height, width) are {found}, expected {expected}"
            )
        x_BTHWD = self.project(features_BTCHW.permute(0, 1, 3, 4, 2))
        return x_BTHWD + self.spatial_HWD + self.temporal_TD[:, None, None]


def sine_cosine(grid: tuple[int, int], dim: int) -> Tensor:
    """(H, W, D): half of the channels for the row, half for the column, sines before cosines; on the CPU.

    Wavelengths grow geometrically from 2 pi to 10,000 * 2 pi tokens (Vaswani et al., 2017, section 3.5,
    once for each axis; the paper does not say how it goes from one axis to two).

    Raises:
        PosecliError: dim is not a multiple of 4.
    """
    if dim % 4:
        raise PosecliError(f"temporal.dim: {dim} is not a multiple of 4, which the spatial embedding needs")
    frequency_F = 10_000 ** -torch.linspace(0, 1, dim // 4, device="cpu")
    axes = [torch.arange(length, device="cpu")[:, None] * frequency_F for length in grid]
    row_HD, column_WD = (torch.cat([phase.sin(), phase.cos()], dim=1) for phase in axes)
    height, width = grid
    return torch.cat([row_HD[:, None].expand(-1, width, -1), column_WD.expand(height, -1, -1)], dim=2)
