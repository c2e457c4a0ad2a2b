"""Selective state space models (S6), one a route, run by one scan call.

Legend: B windows, L tokens, D channels, G routes, N state size, R rank of the step size's projection,
P = R + 2N outputs of the input projection, J taps of the convolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posecli.errors import PosecliError
from posecli.nn.scan import scan_routes

StateInit = Literal["s4d_real", "random"]

# Names of the parameters that weight decay must not touch: they set time constants and a skip, not features.
NO_WEIGHT_DECAY = ("A_log_GDN", "D_GD", "dt_bias_GD", "conv_bias_GD")


class S6(nn.Module):
    """G independent S6 operators over the same tokens, each along its own order (eqs. 2, 3 and 6).

    x -> (step size of rank R, B, C) -> step size of D channels -> scan with A = -exp(A_log), plus D * x.
    The discrete B is step size * B, as in Mamba's kernels, not the zero-order hold of eq. 2.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config:
        dim: int
        routes: int
        state: int = 16
        dt_rank: int = 16
        # The paper says "random" for A. Mamba's log(1..N) guarantees every channel the whole range of time
        # constants from the first step on, and is the default; "random" draws them log-uniformly from that
        # range.
        state_init: StateInit = "s4d_real"
        dt_min: float = 1e-3
        dt_max: float = 0.1
        dt_floor: float = 1e-4
        conv1d: int = 0  # taps of a causal convolution along the route before the scan; 0: none, as the paper

        def __post_init__(self) -> None:
            if self.conv1d not in (0, 4):
                raise PosecliError(f"temporal.conv1d: {self.conv1d} is not offered, choose 0 or 4")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.backend = "auto"  # of the scan: a matter of the machine, not of the model
        G, D, N, R = config.routes, config.dim, config.state, config.dt_rank
        self.in_weight_GPD = nn.Parameter(torch.empty(G, R + 2 * N, D))
        self.dt_weight_GRD = nn.Parameter(torch.empty(G, R, D))
        self.dt_bias_GD = nn.Parameter(torch.empty(G, D))
        self.A_log_GDN = nn.Parameter(torch.empty(G, D, N))
        self.D_GD = nn.Parameter(torch.ones(G, D))
        self.conv_weight_GDJ: nn.Parameter | None = None
        self.conv_bias_GD: nn.Parameter | None = None
        if config.conv1d:
            self.conv_weight_GDJ = nn.Parameter(torch.empty(G, D, config.conv1d))
            self.conv_bias_GD = nn.Parameter(torch.zeros(G, D))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Mamba's initialisation; nothing to fill where the parameters are on the meta device."""
        if self.D_GD.is_meta:
            return
        config = self.config
        nn.init.uniform_(self.in_weight_GPD, -(config.dim**-0.5), config.dim**-0.5)
        nn.init.uniform_(self.dt_weight_GRD, -(config.dt_rank**-0.5), config.dt_rank**-0.5)
        low, high = math.log(config.dt_min), math.log(config.dt_max)
        dt_GD = torch.empty_like(self.dt_bias_GD).uniform_(low, high).exp().clamp(min=config.dt_floor)
        self.dt_bias_GD.copy_(dt_GD + torch.log(-torch.expm1(-dt_GD)))  # softplus(bias) = dt
        if config.state_init == "s4d_real":
            self.A_log_GDN.copy_(torch.arange(1, config.state + 1).log().expand_as(self.A_log_GDN))
        else:
            self.A_log_GDN.uniform_(0, math.log(config.state))
        if self.conv_weight_GDJ is not None:
            nn.init.uniform_(self.conv_weight_GDJ, -(config.conv1d**-0.5), config.conv1d**-0.5)

    def forward(self, x_BLD: Tensor, order_GL: Tensor) -> Tensor:
        """(B, L, D) to (B, G, L, D) in token order, in float32 or wider whatever comes in: half-precision
        scans drift.

        order_GL: (G, L) int64, the token that each route reads at each step.
        """
        with torch.autocast(x_BLD.device.type, enabled=False):
            x_BLD = x_BLD.to(self.A_log_GDN.dtype)
            if self.conv_weight_GDJ is None:
                x = x_BLD
                p_BLGP = F.linear(x_BLD, self.in_weight_GPD.flatten(0, 1)).unflatten(
                    2, self.in_weight_GPD.shape[:2]
                )
                p_BGLP = p_BLGP.transpose(1, 2)
            else:
                x = self._convolve(x_BLD, order_GL)
                p_BGLP = x @ self.in_weight_GPD.mT
            return self._scan(x, p_BGLP, order_GL)

    def _scan(self, x: Tensor, p_BGLP: Tensor, order_GL: Tensor) -> Tensor:
        """x: (B, L, D), read by all routes, or (B, G, L, D)."""
        config = self.config
        dt_BGLR, B_BGLN, C_BGLN = p_BGLP.split([config.dt_rank, config.state, config.state], dim=3)
        return scan_routes(
            x,
            dt_BGLR @ self.dt_weight_GRD,
            -self.A_log_GDN.exp(),
            B_BGLN.contiguous(),
            C_BGLN.contiguous(),
            D_GD=self.D_GD,
            delta_bias_GD=self.dt_bias_GD,
            delta_softplus=True,
            order_GL=order_GL,
            backend=self.backend,
        )

    def _convolve(self, x_BLD: Tensor, order_GL: Tensor) -> Tensor:
        """Mamba's causal depth-wise convolution and SiLU along each route; (B, G, L, D) in token order."""
        assert self.conv_weight_GDJ is not None
        assert self.conv_bias_GD is not None
        x_BGDL = x_BLD[:, order_GL].transpose(2, 3)
        weight, bias = self.conv_weight_GDJ.flatten(0, 1), self.conv_bias_GD.flatten()
        y_BGDL = causal_conv_silu(x_BGDL.flatten(1, 2), weight, bias).view(x_BGDL.shape)
        return y_BGDL.transpose(2, 3).take_along_dim(order_GL.argsort(1)[None, :, :, None], dim=2)


def causal_conv_silu(x_BDL: Tensor, weight_DJ: Tensor, bias_D: Tensor) -> Tensor:
    """SiLU of a depth-wise convolution that sees a token and the J - 1 before it; (B, D, L)."""
    if x_BDL.is_cuda:
        try:
            from causal_conv1d import causal_conv1d_fn
        except ImportError:
            pass
        else:
            return causal_conv1d_fn(x_BDL, weight_DJ, bias_D, activation="silu")
    taps = weight_DJ.shape[1]
    padded = F.pad(x_BDL, (taps - 1, 0))
    return F.silu(F.conv1d(padded, weight_DJ[:, None], bias_D, groups=len(weight_DJ)))
