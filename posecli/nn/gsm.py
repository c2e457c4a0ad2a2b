"""Global Spatiotemporal Mamba (GSM): scans along space-time routes over all tokens of a clip.

Legend: B windows, T frames, H and W height and width of the token grid, L = T*H*W tokens, D channels, G
routes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor, nn

from posecli.nn.channel_attention import SequentialChannelAttention
from posecli.nn.ffn import FFN
from posecli.nn.gate import Gate
from posecli.nn.routes import ROUTES, PanoramaAxis, Route, SpaceScan, merge_pairs, route_orders
from posecli.nn.s6 import S6
from posecli.nn.stmm import STMM


class SpaceTimeScan(nn.Module):
    """STS6D and STMM: each route forward and reverse, pairs added (eq. 7), merged one after the other (eq.
    8).

    A route that is left out loses its STMM unit. Its S6 stays allocated, frozen, because the paper's
    ablation counts it; `dropped` is never run.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        s6: S6.Config  # its number of routes is set from `routes`
        stmm: STMM.Config | None  # None: merge by addition
        routes: tuple[Route, ...] = ROUTES
        panorama_axis: PanoramaAxis = "vertical"
        space_scan: SpaceScan = "panorama"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        active, dropped = len(config.routes), len(ROUTES) - len(config.routes)
        self.s6 = S6(replace(config.s6, routes=2 * active))
        self.dropped = S6(replace(config.s6, routes=2 * dropped)).requires_grad_(False) if dropped else None
        merges = [] if config.stmm is None else [STMM(config.stmm) for _ in range(active - 1)]
        self.merges = nn.ModuleList(merges)

    def forward(self, x_BTHWD: Tensor) -> Tensor:
        """(B, T, H, W, D) in and out, out in the scan's float32."""
        config, grid = self.config, x_BTHWD.shape[1:4]
        order_GL = route_orders(
            tuple(grid), config.routes, config.panorama_axis, config.space_scan, x_BTHWD.device
        )
        pairs = merge_pairs(self.s6(x_BTHWD.flatten(1, 3), order_GL))
        merged_BTHWD, *guides = (y_BLD.unflatten(1, grid) for y_BLD in pairs)
        if config.stmm is None:
            return sum(guides, start=merged_BTHWD)
        for merge, guide_BTHWD in zip(self.merges, guides, strict=True):
            merged_BTHWD = merge(merged_BTHWD, guide_BTHWD)
        return merged_BTHWD


class GSMBlock(nn.Module):
    """Main stream (SCA, LayerNorm, SiLU, scans) times gate, then FFN (section 3.2); (B, T, H, W, D)."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        attention: SequentialChannelAttention.Config
        scan: SpaceTimeScan.Config
        gate: Gate.Config
        ffn: FFN.Config
        outer_residual: bool = False

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.outer_residual = config.outer_residual
        self.attention = SequentialChannelAttention(config.attention)
        self.norm = nn.LayerNorm(config.gate.dim)
        self.scan = SpaceTimeScan(config.scan)
        self.gate = Gate(config.gate)
        self.ffn = FFN(config.ffn)

    def forward(self, x_BTHWD: Tensor) -> Tensor:
        main_BTHWD = self.scan(F.silu(self.norm(self.attention(x_BTHWD))))
        z_BTHWD = main_BTHWD * self.gate(x_BTHWD)
        return self.ffn(x_BTHWD + z_BTHWD if self.outer_residual else z_BTHWD)
