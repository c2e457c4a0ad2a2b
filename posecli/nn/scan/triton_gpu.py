"""The scan on a GPU by kernels that Triton compiles at run time, behind PyTorch's autograd: no CUDA toolkit.

Shapes: B batch, G routes, L tokens, D channels of a route, N states; K, P, R, T, W as in triton_kernels.
"""

from __future__ import annotations

import math
import os
from typing import Any

import torch
from torch import Tensor

from posecli.nn.scan import torch_blocked

# Triton reads it when it is imported. Its kernels then run as Python, on every device and slowly: for tests.
_INTERPRETED = os.environ.get("TRITON_INTERPRET", "0").lower() in ("1", "true", "yes", "on", "y")
DEVICES = ("cuda", "cpu") if _INTERPRETED else ("cuda",)

_PROGRAMS_PER_MULTIPROCESSOR = 16  # of the gradients' kernel, whose scratch memory grows with them
_STATES_PER_WARP = 16  # more would not fit a thread's registers
_LARGEST_ERROR = 1e-4  # in the test of a GPU: twenty times what float32 costs, and far less than any mistake


def why_unavailable() -> str | None:
    if not _INTERPRETED and not torch.cuda.is_available():
        return "it needs a CUDA device, and torch sees none"
    try:
        _kernels()
    except Exception as error:  # a broken installation fails in many ways, ImportError being only one of them
        return f"triton does not import ({error})"
    if _INTERPRETED:
        return None
    try:
        off = _error_on("cuda")
    except Exception as error:  # no C compiler for its launcher, too old a GPU, no folder for its cache
        return f"triton imports, but its kernels fail on this machine ({error})"
    return None if off < _LARGEST_ERROR else f"its kernels compute wrong numbers here (off by {off:.0e})"


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
    if 0 in (*delta_BGLD.shape, A_GDN.shape[2]):  # nothing to launch a kernel on
        return torch_blocked.scan_routes(
            x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, delta_bias_GD, delta_softplus, order_GL
        )
    if order_GL is None:
        order_GL = torch.arange(x_BGLD.shape[2], device=x_BGLD.device)[None]
    zeros_GD = A_GDN.new_zeros(A_GDN.shape[:2])
    parameters = (
        A_GDN,
        zeros_GD if D_GD is None else D_GD,
        zeros_GD if delta_bias_GD is None else delta_bias_GD,
    )
    A_GDN, D_GD, bias_GD = (tensor.to(torch.float32).contiguous() for tensor in parameters)
    # The kernels read half precision as it is.
    x_BGLD, delta_BGLD, B_BGLN, C_BGLN = (
        tensor.to(torch.float32 if tensor.dtype == torch.float64 else tensor.dtype).contiguous()
        for tensor in (x_BGLD, delta_BGLD, B_BGLN, C_BGLN)
    )
    tensors = (x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, bias_GD)
    y_BGLD, last_BGDN = _Scan.apply(delta_softplus, order_GL.contiguous(), *tensors)
    return y_BGLD, last_BGDN


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, softplus: bool, order_GL: Tensor, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        with torch.cuda.device_of(order_GL):
            y_BGLD, state_BGKND, duration_BGKD = _forward(tensors, softplus, order_GL)
        ctx.softplus = softplus
        ctx.save_for_backward(*tensors, order_GL, state_BGKND, duration_BGKD)
        return y_BGLD, state_BGKND[:, :, -1].mT.contiguous()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy_BGLD: Tensor, dlast_BGDN: Tensor) -> tuple[Tensor | None, ...]:
        *tensors, order_GL, state_BGKND, duration_BGKD = ctx.saved_tensors
        with torch.cuda.device_of(order_GL):
            gradients = _backward(
                tuple(tensors),
                ctx.softplus,
                order_GL,
                state_BGKND,
                duration_BGKD,
                dy_BGLD.contiguous(),
                dlast_BGDN,
            )
        return None, None, *(part.to(tensor.dtype) for part, tensor in zip(gradients, tensors, strict=True))


def _forward(tensors: tuple[Tensor, ...], softplus: bool, order_GL: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """y, the states before every chunk and after the last (K + 1), and the durations of the chunks."""
    kernels = _kernels()
    x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, bias_GD = tensors
    batch, _, _, channels = delta_BGLD.shape
    sizes = _sizes(tensors, order_GL)
    options = _options(softplus, A_GDN.shape[2])
    grid = (_tasks(delta_BGLD),)
    rates_GND = _rates(A_GDN)
    duration_BGKD = A_GDN.new_empty(batch, len(A_GDN), sizes["chunks"], channels)
    state_BGKND = A_GDN.new_empty(batch, len(A_GDN), sizes["chunks"] + 1, A_GDN.shape[2], channels)
    state_BGKND[:, :, 0] = 0
    y_BGLD = torch.empty_like(delta_BGLD, dtype=torch.float32)
    kernels.chunk_states[grid](
        x_BGLD, delta_BGLD, rates_GND, B_BGLN, bias_GD, order_GL, state_BGKND, duration_BGKD,
        **sizes, **options,
    )  # fmt: skip
    _carry(state_BGKND, duration_BGKD, rates_GND, reverse=False)
    kernels.outputs[grid](
        x_BGLD, delta_BGLD, rates_GND, B_BGLN, C_BGLN, D_GD, bias_GD, order_GL, state_BGKND, y_BGLD,
        **sizes, **options,
    )  # fmt: skip
    return y_BGLD, state_BGKND, duration_BGKD


def _backward(
    tensors: tuple[Tensor, ...],
    softplus: bool,
    order_GL: Tensor,
    state_BGKND: Tensor,
    duration_BGKD: Tensor,
    dy_BGLD: Tensor,
    dlast_BGDN: Tensor,
) -> tuple[Tensor, ...]:
    """The gradients by `tensors`, in float32."""
    kernels = _kernels()
    x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN, D_GD, bias_GD = tensors
    sizes = _sizes(tensors, order_GL)
    options = _options(softplus, A_GDN.shape[2])
    tasks = _tasks(delta_BGLD)
    blocks = -(-delta_BGLD.shape[3] // kernels.LANES)
    rates_GND = _rates(A_GDN)
    adjoint_BGKND = torch.empty_like(state_BGKND)
    adjoint_BGKND[:, :, 0] = dlast_BGDN.mT
    kernels.chunk_adjoints[(tasks,)](
        delta_BGLD, rates_GND, C_BGLN, bias_GD, order_GL, dy_BGLD, adjoint_BGKND, **sizes, **options
    )
    _carry(adjoint_BGKND, duration_BGKD, rates_GND, reverse=True)

    programs = min(tasks, _most_programs(order_GL.device))
    scratch_RTSW = A_GDN.new_empty(programs, kernels.CHUNK, options["STATES"], kernels.LANES)
    dx_BGLD, ddelta_BGLD = (torch.empty_like(delta_BGLD, dtype=torch.float32) for _ in range(2))
    dB_PBGLN, dC_PBGLN = (A_GDN.new_empty(blocks, *B_BGLN.shape) for _ in range(2))
    dD_BGKD = torch.empty_like(duration_BGKD)
    kernels.gradients[(programs,)](
        x_BGLD, delta_BGLD, rates_GND, B_BGLN, C_BGLN, D_GD, bias_GD, order_GL, state_BGKND, dy_BGLD,
        adjoint_BGKND, scratch_RTSW, dx_BGLD, ddelta_BGLD, dB_PBGLN, dC_PBGLN, dD_BGKD, len(delta_BGLD),
        **sizes, **options,
    )  # fmt: skip
    if x_BGLD.shape[1] == 1:
        dx_BGLD = dx_BGLD.sum(1, keepdim=True)
    dA_GDN = adjoint_BGKND[:, :, :-1].sum((0, 2)).mT
    return (
        dx_BGLD,
        ddelta_BGLD,
        dA_GDN,
        dB_PBGLN.sum(0),
        dC_PBGLN.sum(0),
        dD_BGKD.sum((0, 2)),
        ddelta_BGLD.sum((0, 2)),
    )


def _carry(state_BGKND: Tensor, duration_BGKD: Tensor, rates_GND: Tensor, reverse: bool) -> None:
    kernels = _kernels()
    batch, routes, chunks, channels = duration_BGKD.shape
    states = rates_GND.shape[1]
    tasks = batch * routes * states * -(-channels // kernels.LANES)
    kernels.carry[(tasks,)](
        state_BGKND, duration_BGKD, rates_GND, routes, channels, states, chunks,
        REVERSE=reverse, CARRIED=kernels.CARRIED, LANES=kernels.LANES, num_warps=1,
    )  # fmt: skip


def _rates(A_GDN: Tensor) -> Tensor:
    """The kernels exponentiate to base 2, and read a state's channels side by side."""
    return (A_GDN * math.log2(math.e)).mT.contiguous()


def _tasks(delta_BGLD: Tensor) -> int:
    kernels = _kernels()
    batch, routes, length, channels = delta_BGLD.shape
    return batch * routes * -(-length // kernels.CHUNK) * -(-channels // kernels.LANES)


def _sizes(tensors: tuple[Tensor, ...], order_GL: Tensor) -> dict[str, int]:
    x_BGLD, A_GDN = tensors[0], tensors[2]
    return {
        "routes": len(A_GDN),
        "x_routes": x_BGLD.shape[1],
        "orders": len(order_GL),
        "length": x_BGLD.shape[2],
        "channels": x_BGLD.shape[3],
        "states": A_GDN.shape[2],
        "chunks": -(-x_BGLD.shape[2] // _kernels().CHUNK),
    }


def _options(softplus: bool, states: int) -> dict[str, Any]:
    """What the kernels are compiled for."""
    kernels = _kernels()
    padded = 1 << (states - 1).bit_length()
    return {
        "SOFTPLUS": softplus,
        "STATES": padded,
        "CHUNK": kernels.CHUNK,
        "LANES": kernels.LANES,
        "num_warps": min(8, max(1, padded // _STATES_PER_WARP)),
    }


def _most_programs(device: torch.device) -> int:
    if device.type != "cuda":
        return 2
    return _PROGRAMS_PER_MULTIPROCESSOR * torch.cuda.get_device_properties(device).multi_processor_count


def _kernels() -> Any:
    """The module that imports triton, at the first need."""
    from posecli.nn.scan import triton_kernels

    return triton_kernels


def _error_on(device: str, length: int = 70) -> float:
    """The largest error of outputs and gradients on a small scan, relative to the torch backend's."""
    results = []
    with torch.inference_mode(False), torch.enable_grad():  # whatever the first scan of the process is in
        for backend_scan in (scan_routes, torch_blocked.scan_routes):
            x, delta, A, B, C, D, bias, order_GL = _small_inputs(device, length)
            y_BGLD, _ = backend_scan(x, delta, A, B, C, D, bias, True, order_GL)
            gradients = torch.autograd.grad(y_BGLD.square().sum(), (x, delta, A, B, C, D, bias))
            results.append((y_BGLD.detach(), *gradients))
    pairs = zip(*results, strict=True)
    errors = [(ours - theirs).abs().max() / theirs.abs().max() for ours, theirs in pairs]
    return torch.stack(errors).max().item()  # NaN if one is: Python's max would lose it


def _small_inputs(device: str, length: int) -> list[Tensor]:
    """The tensors of scan_routes: two blocks of channels, and a route forwards and one backwards."""
    draw = torch.Generator().manual_seed(0)
    stepwise = [(1, 2, length, size) for size in (40, 40, 4, 4)]
    x, delta, B, C, A, D, bias = (
        torch.randn(shape, generator=draw) for shape in (*stepwise, (2, 40, 4), (2, 40), (2, 40))
    )
    forwards_L = torch.arange(length, device=device)
    leaves = [tensor.to(device).requires_grad_() for tensor in (x, delta, -A.abs(), B, C, D, bias)]
    return [*leaves, torch.stack([forwards_L, forwards_L.flip(0)])]
