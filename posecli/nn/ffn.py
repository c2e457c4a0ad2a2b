"""The feed-forward network of a block.

Legend: D channels; ... any leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


class FFN(nn.Module):
    """z + FFN(LayerNorm(z)), each token by itself; (..., D)."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dim: int
        ratio: int = 4
        zero_init: bool = (
            False  # start as the identity; safe only in blocks with a residual around the product
        )

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim)
        self.expand = nn.Linear(config.dim, config.ratio * config.dim)
        self.contract = nn.Linear(config.ratio * config.dim, config.dim)
        if config.zero_init:
            nn.init.zeros_(self.contract.weight)
            nn.init.zeros_(self.contract.bias)

    def forward(self, z_D: Tensor) -> Tensor:
        return z_D + self.contract(F.gelu(self.expand(self.norm(z_D))))
