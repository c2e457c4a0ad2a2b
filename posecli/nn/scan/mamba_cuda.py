"""The scan by mamba-ssm's compiled CUDA kernel. Imported lazily: without its extension even `import
mamba_ssm` fails.

Shapes: B batch, G routes, L steps, D channels (of a route in scan_routes), N states.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from posecli.nn.scan.torch_blocked import take_tokens

DEVICES = ("cuda",)


def why_unavailable() -> str | None:
    if not torch.cuda.is_available():
        return "it needs a CUDA device, and torch sees none"
    try:
        kernel = _kernel()
    except (
        Exception
    ) as error:  # a half-installed extension fails in many ways, ImportError being only one of them
        return f'mamba-ssm does not import ({error}); pip install --no-build-isolation "posecli[cuda]"'
    try:
        ones_BDL = torch.ones(1, 1, 8, device="cuda")
        kernel(ones_BDL, ones_BDL, -torch.ones(1, 1, device="cuda"), ones_BDL[:, None], ones_BDL[:, None])
        torch.cuda.synchronize()
    except Exception as error:
        return f"mamba-ssm imports, but its kernel fails on this GPU ({error})"
    return None


def selective_scan(
    u_BDL: Tensor,
    delta_BDL: Tensor,
    A_DN: Tensor,
    B_BGNL: Tensor,
    C_BGNL: Tensor,
    D_D: Tensor | None,
    z_BDL: Tensor | None,
    delta_bias_D: Tensor | None,
    delta_softplus: bool,
) -> tuple[Tensor, Tensor]:
    """Returns y (B, D, L) in u's dtype and the last state (B, D, N), which carries no gradient."""
    dtype = torch.float32 if u_BDL.dtype == torch.float64 else u_BDL.dtype
    y_BDL, state_BDN = _kernel()(
        u_BDL.to(dtype),
        delta_BDL.to(dtype),
        A_DN.float(),
        B_BGNL.to(dtype),
        C_BGNL.to(dtype),
        D=None if D_D is None else D_D.float(),
        z=None if z_BDL is None else z_BDL.to(dtype),
        delta_bias=None if delta_bias_D is None else delta_bias_D.float(),
        delta_softplus=delta_softplus,
        return_last_state=True,
    )
    return y_BDL.to(u_BDL.dtype), state_BDN


def scan_routes(
    x_BGLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor | None,
    delta_bias_GD: Tensor | None,
    delta_softplus: bool,
    order_GL: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """See `registry` for the contract: the routes become the groups of one launch."""

    def steps_last(tensor_BGLX: Tensor) -> Tensor:
        return take_tokens(tensor_BGLX, order_GL).transpose(2, 3).contiguous()

    y_BDL, state_BDN = selective_scan(
        steps_last(x_BGLD.expand_as(delta_BGLD)).flatten(1, 2),
        steps_last(delta_BGLD).flatten(1, 2),
        A_GDN.flatten(0, 1),
        steps_last(B_BGLN),
        steps_last(C_BGLN),
        None if D_GD is None else D_GD.flatten(),
        None,
        None if delta_bias_GD is None else delta_bias_GD.flatten(),
        delta_softplus,
    )
    groups = A_GDN.shape[0]
    y_BGLD = y_BDL.unflatten(1, (groups, -1)).transpose(2, 3)
    y_BGLD = take_tokens(y_BGLD, None if order_GL is None else order_GL.argsort(dim=1))
    return y_BGLD, state_BDN.unflatten(1, (groups, -1))


def _kernel() -> Any:
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    return selective_scan_fn
