"""The scan on a CPU: numba's kernels behind PyTorch's autograd.

Shapes: B batch, G routes, L tokens, D channels of a route, N states; P, K, W as in numba_kernels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

DEVICES = ("cpu",)


def why_unavailable() -> str | None:
    try:
        _kernels()
    except Exception as error:  # besides ImportError: RuntimeError where numba finds no folder for its cache
        return f"numba does not load ({error})"
    return None


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
    """See `registry` for the contract. Returns y (B, G, L, D) and the last state (B, G, D, N), float32."""
    zeros_GD = torch.zeros(A_GDN.shape[:2])
    tensors = [
        tensor.to(torch.float32).contiguous()
        for tensor in (
            x_BGLD,
            delta_BGLD,
            A_GDN,
            B_BGLN,
            C_BGLN,
            zeros_GD if D_GD is None else D_GD,
            zeros_GD if delta_bias_GD is None else delta_bias_GD,
        )
    ]
    order_GL = torch.arange(x_BGLD.shape[2])[None] if order_GL is None else order_GL.contiguous()
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        y_BGLD, last_BGDN = _Scan.apply(delta_softplus, order_GL, *tensors)
    else:
        y_BGLD, last_BGDN, _ = _forward(tensors, delta_softplus, order_GL, keep_states=False)
    return y_BGLD, last_BGDN


def _forward(
    tensors: list[Tensor], softplus: bool, order_GL: Tensor, keep_states: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """y, the last state, and the states at the start of each chunk (B, G, P, K, N, W), K = 0 if not kept."""
    kernels, threads = _kernels()
    delta_BGLD, A_GDN = tensors[1], tensors[2]
    batch, routes, length, channels = delta_BGLD.shape
    states = A_GDN.shape[2]
    blocks = -(-channels // kernels.LANES)
    chunks = -(-length // kernels.CHUNK) if keep_states else 0
    y_BGLD = torch.empty_like(delta_BGLD)
    last_BGDN = torch.empty(batch, routes, channels, states)
    starts_BGPKNW = torch.empty(batch, routes, blocks, chunks, states, kernels.LANES)
    inputs = [tensor.detach().numpy() for tensor in tensors]
    with threads.parallel_region():
        kernels.forward(
            *inputs, softplus, order_GL.numpy(), y_BGLD.numpy(), last_BGDN.numpy(), starts_BGPKNW.numpy()
        )
    return y_BGLD, last_BGDN, starts_BGPKNW


def _kernels() -> tuple[Any, Any]:
    """The modules that import numba, at the first need."""
    from posecli.nn.scan import numba_kernels, numba_threads

    return numba_kernels, numba_threads


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, softplus: bool, order_GL: Tensor, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        y_BGLD, last_BGDN, starts_BGPKNW = _forward(list(tensors), softplus, order_GL, keep_states=True)
        ctx.softplus = softplus
        ctx.save_for_backward(*tensors, order_GL, starts_BGPKNW)
        return y_BGLD, last_BGDN

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy_BGLD: Tensor, dlast_BGDN: Tensor) -> tuple[Tensor | None, ...]:
        kernels, threads = _kernels()
        *tensors, order_GL, starts_BGPKNW = ctx.saved_tensors
        x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, bias_GD = tensors
        batch, blocks = delta_BGLD.shape[0], starts_BGPKNW.shape[2]
        gradients = [
            torch.empty_like(delta_BGLD),
            torch.empty_like(delta_BGLD),
            A_GDN.new_empty(batch, *A_GDN.shape),
            B_BGLN.new_empty(blocks, *B_BGLN.shape),
            C_BGLN.new_empty(blocks, *C_BGLN.shape),
            D_GD.new_empty(batch, *D_GD.shape),
            bias_GD.new_empty(batch, *bias_GD.shape),
        ]
        arrays = [tensor.numpy() for tensor in (*tensors, order_GL, starts_BGPKNW)]
        with threads.parallel_region():
            kernels.backward(
                *arrays[:7],
                ctx.softplus,
                *arrays[7:],
                dy_BGLD.contiguous().numpy(),
                dlast_BGDN.contiguous().numpy(),
                *(gradient.numpy() for gradient in gradients),
            )
        dx_BGLD, ddelta_BGLD, *parts = gradients
        if x_BGLD.shape[1] == 1:
            dx_BGLD = dx_BGLD.sum(1, keepdim=True)
        return None, None, dx_BGLD, ddelta_BGLD, *(part.sum(0) for part in parts)
