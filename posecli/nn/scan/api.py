"""The two entries to the selective scan.

    h[l] = exp(delta[l] * A) * h[l-1] + delta[l] * B[l] * u[l]        y[l] = C[l] . h[l] + D * u[l]

This is what Mamba's kernels compute (Gu and Dao, "Mamba", arXiv 2312.00752, section 3.6): A is discretised by
zero-order hold and B by the simpler delta * B.

Shapes: B batch, G groups (routes), L steps (tokens), D channels (of one group in scan_routes), N states.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from posecli.nn.scan.registry import resolve


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    return_last_state: bool = False,
    backend: str = "auto",
) -> Tensor | tuple[Tensor, Tensor]:
    """Scan along the last axis, with the shapes and the meaning of mamba-ssm's `selective_scan_fn`.

    u, delta: (B, D, L). A: (D, N), real and negative. B, C: (B, N, L), or (B, G, N, L) where channel d uses
    group d // (D / G). D, delta_bias: (D,). z: (B, D, L), a gate: y * silu(z). delta, with its bias and
    softplus if asked for, must come out non-negative.

    Returns y (B, D, L) in u's dtype; with `return_last_state` also the state after the last step, (B, D, N).
    The scan runs in float32 whatever comes in (float64 stays float64 on the torch backend, which "auto" picks
    for it).

    Raises ValueError for shapes that do not fit, PosecliError for a backend that is unknown or unavailable.
    """
    B_BGNL, C_BGNL = (x.unsqueeze(1) if x.dim() == 3 else x for x in (B, C))
    _check_selective_scan(u, delta, A, B_BGNL, C_BGNL, D, z, delta_bias)
    chosen = resolve(backend, u.device, u.dtype)
    if chosen.selective_scan is not None:
        y, last_state = chosen.selective_scan(u, delta, A, B_BGNL, C_BGNL, D, z, delta_bias, delta_softplus)
        return (y, last_state) if return_last_state else y

    groups = B_BGNL.shape[1]
    y_BGLD, state_BGDN = chosen.scan_routes(
        u.unflatten(1, (groups, -1)).transpose(2, 3),
        delta.unflatten(1, (groups, -1)).transpose(2, 3),
        A.unflatten(0, (groups, -1)),
        B_BGNL.transpose(2, 3),
        C_BGNL.transpose(2, 3),
        None if D is None else D.unflatten(0, (groups, -1)),
        None if delta_bias is None else delta_bias.unflatten(0, (groups, -1)),
        delta_softplus,
        None,
    )
    y = y_BGLD.transpose(2, 3).flatten(1, 2)
    if z is not None:
        y = y * F.silu(z.to(y.dtype))
    y = y.to(u.dtype)
    return (y, state_BGDN.flatten(1, 2)) if return_last_state else y


def scan_routes(
    x_BLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor | None = None,
    delta_bias_GD: Tensor | None = None,
    delta_softplus: bool = False,
    order_GL: Tensor | None = None,
    backend: str = "auto",
) -> Tensor:
    """Scan the same tokens along G routes, each with its own parameters, in one call.

    Step l of route g reads token order_GL[g, l] of x, delta, B and C, which are all stored in token order,
    and writes y at that same token: a route's outputs come back in token order too. order_GL (int64) holds
    one permutation of 0..L-1 a route; None is the identity for all.

    x: (B, L, D), read by all routes, or (B, G, L, D), one for each. A: real and negative. delta, with its
    bias and softplus if asked for, must come out non-negative.

    Returns y (B, G, L, D) in x's dtype, computed as in `selective_scan`. Raises as `selective_scan` does.
    """
    x_BGLD = x_BLD.unsqueeze(1) if x_BLD.dim() == 3 else x_BLD
    _check_scan_routes(x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, delta_bias_GD, order_GL)
    chosen = resolve(backend, x_BGLD.device, x_BGLD.dtype)
    y_BGLD, _ = chosen.scan_routes(
        x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, delta_bias_GD, delta_softplus, order_GL
    )
    return y_BGLD.to(x_BGLD.dtype)


def _check_selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B_BGNL: Tensor,
    C_BGNL: Tensor,
    D: Tensor | None,
    z: Tensor | None,
    delta_bias: Tensor | None,
) -> None:
    if u.dim() != 3 or B_BGNL.dim() != 4 or A.dim() != 2:
        raise ValueError(
            "selective_scan: u must be (B, D, L), A (D, N), and B and C (B, N, L) or (B, G, N, L)"
        )
    batch, channels, length = u.shape
    groups, states = B_BGNL.shape[1], A.shape[1]
    if groups == 0 or channels % groups:
        raise ValueError(f"selective_scan: {groups} groups do not divide {channels} channels")
    _check_shape("delta", delta, (batch, channels, length))
    _check_shape("A", A, (channels, states))
    _check_shape("B", B_BGNL, (batch, groups, states, length))
    _check_shape("C", C_BGNL, (batch, groups, states, length))
    _check_shape("D", D, (channels,))
    _check_shape("z", z, (batch, channels, length))
    _check_shape("delta_bias", delta_bias, (channels,))


def _check_scan_routes(
    x_BGLD: Tensor,
    delta_BGLD: Tensor,
    A_GDN: Tensor,
    B_BGLN: Tensor,
    C_BGLN: Tensor,
    D_GD: Tensor | None,
    delta_bias_GD: Tensor | None,
    order_GL: Tensor | None,
) -> None:
    if x_BGLD.dim() != 4 or A_GDN.dim() != 3:
        raise ValueError("scan_routes: x must be (B, L, D) or (B, G, L, D), and A (G, D, N)")
    batch, _, length, channels = x_BGLD.shape
    groups, _, states = A_GDN.shape
    if x_BGLD.shape[1] not in (1, groups):
        raise ValueError(f"scan_routes: x has {x_BGLD.shape[1]} routes, A has {groups}")
    _check_shape("delta", delta_BGLD, (batch, groups, length, channels))
    _check_shape("A", A_GDN, (groups, channels, states))
    _check_shape("B", B_BGLN, (batch, groups, length, states))
    _check_shape("C", C_BGLN, (batch, groups, length, states))
    _check_shape("D", D_GD, (groups, channels))
    _check_shape("delta_bias", delta_bias_GD, (groups, channels))
    _check_shape("order", order_GL, (groups, length))
    if (
        order_GL is not None and order_GL.device.type == "cpu"
    ):  # elsewhere the check would cost a synchronisation
        _check_permutations(order_GL)


def _check_shape(name: str, x: Tensor | None, expected: tuple[int, ...]) -> None:
    if x is not None and tuple(x.shape) != expected:
        raise ValueError(f"scan: {name} has shape {tuple(x.shape)}, expected {expected}")


def _check_permutations(order_GL: Tensor) -> None:
    """The compiled kernels index with these unchecked, so nothing outside the tokens may get through."""
    if order_GL.dtype != torch.int64:
        raise ValueError(f"scan_routes: order must be int64, not {order_GL.dtype}")
    if order_GL.numel() == 0:
        return
    inside = order_GL.min() >= 0 and order_GL.max() < order_GL.shape[1]
    if not inside or not torch.zeros_like(order_GL, dtype=torch.bool).scatter_(1, order_GL, True).all():
        raise ValueError("scan_routes: order must hold a permutation of the tokens for each route")
