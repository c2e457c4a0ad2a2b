"""Local Refinement Mamba (LRM): scans inside small windows that run through all frames.

Legend: B windows of video, T frames, H and W height and width of the token grid, D channels, M windows of
the grid in the batch, S tokens of one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor, nn

from posecli.nn.ffn import FFN
from posecli.nn.gate import Gate
from posecli.nn.routes import join_windows, split_windows, window_orders
from posecli.nn.s6 import S6


class WindowedScan(nn.Module):
    """WSTS: windows unrolled frame by frame, forward and reverse, each direction its own S6, summed."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        s6: S6.Config  # its number of routes is two
        window: tuple[int, int] = (8, 6)  # height, width in tokens; always through all frames

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.window = config.window
        self.s6 = S6(replace(config.s6, routes=2))

    def forward(self, x_BTHWD: Tensor) -> Tensor:
        """(B, T, H, W, D) in and out, out in the scan's float32.

        Raises:
            PosecliError: the grid is not a whole number of windows.
        """
        _, frames, height, width, _ = x_BTHWD.shape
        x_MSD = split_windows(x_BTHWD, self.window)
        y_MSD = self.s6(x_MSD, window_orders(x_MSD.shape[1], x_MSD.device)).sum(1)
        return join_windows(y_MSD, self.window, (frames, height, width))


class LRMBlock(nn.Module):
    """A GSM block without channel attention whose scan is windowed (paper, section 3.3); (B, T, H, W, D)."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        scan: WindowedScan.Config
        gate: Gate.Config
        ffn: FFN.Config
        outer_residual: bool = False

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.outer_residual = config.outer_residual
        self.norm = nn.LayerNorm(config.gate.dim)
        self.scan = WindowedScan(config.scan)
        self.gate = Gate(config.gate)
        self.ffn = FFN(config.ffn)

    def forward(self, x_BTHWD: Tensor) -> Tensor:
        main_BTHWD = self.scan(F.silu(self.norm(x_BTHWD)))
        z_BTHWD = main_BTHWD * self.gate(x_BTHWD)
        return self.ffn(x_BTHWD + z_BTHWD if self.outer_residual else z_BTHWD)
