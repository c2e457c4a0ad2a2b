"""Sequential Channel Attention (SCA): weights for every channel of every frame, from all frames together.

Legend: B windows, T frames, H and W height and width of the token grid, D channels.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


class SequentialChannelAttention(nn.Module):
    """Rescales channels by sigmoid(MLPs(GAP(x))) (eq. 5).

    The averages of all frames make one vector of T*D, so that channels interact within a frame and between
    frames. Two bottlenecks T*D - hidden - T*D in a row are our reading of "several MLPs".
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dim: int
        frames: int
        hidden: int

    def __init__(self, config: Config) -> None:
        super().__init__()
        size = config.frames * config.dim
        self.mlps = nn.Sequential(
            nn.Linear(size, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, size),
            nn.GELU(),
            nn.Linear(size, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, size),
            nn.Sigmoid(),
        )

    def forward(self, x_BTHWD: Tensor) -> Tensor:
        means_BTD = x_BTHWD.mean((2, 3))
        weights_BTD = self.mlps(means_BTD.flatten(1)).view(means_BTD.shape)
        return x_BTHWD * weights_BTD[:, :, None, None]
