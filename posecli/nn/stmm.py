"""Spatial- and Temporal-Modulated scan Merging (STMM): one scan's features steer how another's are resampled.

Legend: B windows, T frames, H and W height and width of the token grid, D channels, n = B*T pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posecli.nn.deformable import Sampler, deformable_conv1x1
from posecli.nn.layout import to_pictures


class STMM(nn.Module):
    """Residual modulated deformable 1x1 convolution of the base, steered by base and guide together (eq. 8).

    The guide itself is never added: it only decides where and how strongly the base is sampled.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dim: int
        sampler: Sampler = "auto"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.steer = nn.Conv2d(2 * config.dim, 3, kernel_size=3, padding=1)  # dy, dx, modulation
        self.kernel = nn.Linear(config.dim, config.dim)  # the 1x1 kernel
        # As deformable convolutions do: start on the regular grid, with half of the intensity.
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)  # type: ignore[arg-type]

    def forward(self, base_BTHWD: Tensor, guide_BTHWD: Tensor) -> Tensor:
        steer_n3HW = self.steer(to_pictures(torch.cat([base_BTHWD, guide_BTHWD], dim=4)))
        # Positions of half a pixel in 64 need more than the eight bits of bf16.
        with torch.autocast(base_BTHWD.device.type, enabled=False):
            steer_n3HW = steer_n3HW.to(self.kernel.weight.dtype)
            y_nHWD = deformable_conv1x1(
                base_BTHWD.flatten(0, 1).to(self.kernel.weight.dtype),
                steer_n3HW[:, :2],
                steer_n3HW[:, 2:].sigmoid(),
                self.kernel.weight,
                self.kernel.bias,
                self.config.sampler,
            )
        return base_BTHWD + y_nHWD.unflatten(0, base_BTHWD.shape[:2])
