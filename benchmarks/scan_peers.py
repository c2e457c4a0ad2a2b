"""Other ways to run the selective scan, to compare ours with. All take scan_routes' arguments, and none is fast.

Shapes: as in posecli.nn.scan.api.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def plain_loop(
    x_BLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor,
    delta_bias_GD: Tensor,
    delta_softplus: bool,
    order_GL: Tensor,
) -> Tensor:
    """The recurrence as it is written, all routes at once, one step after the other: what the reference
    function of the mamba-ssm package does.
    """
    x, dt, B, C = _in_order(x_BLD, delta_BGLD, B_BGLN, C_BGLN, delta_bias_GD, delta_softplus, order_GL)
    h_BGDN = torch.zeros((), device=x.device)
    outputs = []
    for x_BGD, dt_BGD, B_BGN, C_BGN in zip(*(tensor.unbind(2) for tensor in (x, dt, B, C)), strict=True):
        input_BGDN = (dt_BGD * x_BGD)[..., None] * B_BGN[..., None, :]
        h_BGDN = torch.exp(dt_BGD[..., None] * A_GDN) * h_BGDN + input_BGDN
        outputs.append((h_BGDN @ C_BGN[..., None]).squeeze(-1))
    return _in_token_order(torch.stack(outputs, 2) + D_GD[:, None] * x, order_GL)


def mambapy_scan(
    x_BLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor,
    delta_bias_GD: Tensor,
    delta_softplus: bool,
    order_GL: Tensor,
) -> Tensor:
    """mambapy's parallel scan, a route at a time as it holds all states of a scan, several times over."""
    from mambapy.pscan import pscan

    x, dt, B, C = _in_order(x_BLD, delta_BGLD, B_BGLN, C_BGLN, delta_bias_GD, delta_softplus, order_GL)
    outputs = []
    for g, A_DN in enumerate(A_GDN):
        dt_BLD1 = dt[:, g, :, :, None]
        h_BLDN = pscan(torch.exp(dt_BLD1 * A_DN), dt_BLD1 * x[:, g, :, :, None] * B[:, g, :, None])
        outputs.append((h_BLDN @ C[:, g, :, :, None]).squeeze(-1))
    return _in_token_order(torch.stack(outputs, 1) + D_GD[:, None] * x, order_GL)


def _in_order(
    x_BLD: Tensor,
    delta_BGLD: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    delta_bias_GD: Tensor,
    delta_softplus: bool,
    order_GL: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x, the durations of the steps, B and C as each route reads them, (B, G, L, D or N)."""
    routes = torch.arange(len(order_GL), device=order_GL.device)[:, None]
    dt_BGLD = delta_BGLD[:, routes, order_GL] + delta_bias_GD[:, None]
    dt_BGLD = F.softplus(dt_BGLD) if delta_softplus else dt_BGLD
    return x_BLD[:, order_GL], dt_BGLD, B_BGLN[:, routes, order_GL], C_BGLN[:, routes, order_GL]


def _in_token_order(y_BGLD: Tensor, order_GL: Tensor) -> Tensor:
    routes = torch.arange(len(order_GL), device=order_GL.device)[:, None]
    return y_BGLD[:, routes, order_GL.argsort(1)]
