"""The scan as its definition reads: one step after the other, in float64, differentiated by autograd."""

from __future__ import annotations

import torch
from torch import Tensor


def sequential_scan(
    u_BDL: Tensor,
    delta_BDL: Tensor,
    A_DN: Tensor,
    B_BGNL: Tensor,
    C_BGNL: Tensor,
    D_D: Tensor | None = None,
    z_BDL: Tensor | None = None,
    delta_bias_D: Tensor | None = None,
    delta_softplus: bool = False,
) -> tuple[Tensor, Tensor]:
    """y (B, D, L) and the last state (B, D, N)."""
    batch, channels, _ = u_BDL.shape
    if delta_bias_D is not None:
        delta_BDL = delta_BDL + delta_bias_D[:, None]
    if delta_softplus:
        delta_BDL = torch.log(1 + torch.exp(delta_BDL))
    group_of_channel = torch.arange(channels) // (channels // B_BGNL.shape[1])
    h_BDN = u_BDL.new_zeros(batch, channels, A_DN.shape[1])
    outputs = []
    by_step = (x.unbind(-1) for x in (u_BDL, delta_BDL, B_BGNL, C_BGNL))
    for u_BD, dt_BD, B_BGN, C_BGN in zip(*by_step, strict=True):
        B_BDN, C_BDN = B_BGN[:, group_of_channel], C_BGN[:, group_of_channel]
        h_BDN = torch.exp(dt_BD[..., None] * A_DN) * h_BDN + (dt_BD * u_BD)[..., None] * B_BDN
        outputs.append((C_BDN * h_BDN).sum(-1))
    y_BDL = torch.stack(outputs, dim=-1)
    if D_D is not None:
        y_BDL = y_BDL + D_D[:, None] * u_BDL
    if z_BDL is not None:
        y_BDL = y_BDL * z_BDL / (1 + torch.exp(-z_BDL))
    return y_BDL, h_BDN


def sequential_routes(
    x_BLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor | None = None,
    delta_bias_GD: Tensor | None = None,
    delta_softplus: bool = False,
    order_GL: Tensor | None = None,
) -> Tensor:
    """y (B, G, L, D): route by route, tokens sorted into the route's order and back."""
    routes = []
    for g in range(len(A_GDN)):
        order = torch.arange(delta_BGLD.shape[2]) if order_GL is None else order_GL[g]
        x = x_BLD if x_BLD.dim() == 3 else x_BLD[:, g]
        y_BDL, _ = sequential_scan(
            x[:, order].mT,
            delta_BGLD[:, g, order].mT,
            A_GDN[g],
            B_BGLN[:, g : g + 1, order].mT,
            C_BGLN[:, g : g + 1, order].mT,
            None if D_GD is None else D_GD[g],
            None,
            None if delta_bias_GD is None else delta_bias_GD[g],
            delta_softplus,
        )
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        routes.append(y_BDL.mT[:, back])
    return torch.stack(routes, dim=1)
