"""The scan in plain torch operations: every device, any order of derivative, the other backends' oracle.

A step-by-step loop over L tokens launches L small operations. Here L is cut into K chunks of T steps that
advance in lockstep, each from a zero state, so that T + K operations do. Then the state is carried over the
chunks, and what each chunk inherits is added to its outputs. The decay over a span is exp(A * sum of delta),
whose argument is never positive: nothing overflows, unlike with quotients of cumulative products.

Shapes: B batch, G routes, L steps, D channels of a route, N states; S steps of a segment, K chunks, T steps
of a chunk.
"""

from __future__ import annotations

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

DEVICES = None

# States (B * S * G * D * N) held at once: what fits a CPU's cache, or keeps a GPU busy. Longer sequences go segment
# by segment, and the backward pass recomputes one segment at a time: a few times this many numbers bound the memory.
_SEGMENT_STATES = {"cpu": 2**19}
_SEGMENT_STATES_ELSEWHERE = 2**24


def why_unavailable() -> str | None:
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
    """See `registry` for the contract. Returns y (B, G, L, D) and the last state (B, G, D, N)."""
    dtype = torch.float64 if x_BGLD.dtype == torch.float64 else torch.float32
    with _no_autocast(x_BGLD.device.type):
        x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN = (
            tensor.to(dtype) for tensor in (x_BGLD, delta_BGLD, A_GDN, B_BGLN, C_BGLN)
        )
        if delta_bias_GD is not None:
            delta_BGLD = delta_BGLD + delta_bias_GD.to(dtype)[:, None]
        if delta_softplus:
            delta_BGLD = F.softplus(delta_BGLD)

        x_BGLD = x_BGLD.expand_as(delta_BGLD)
        read = [take_tokens(tensor, order_GL) for tensor in (x_BGLD, delta_BGLD, B_BGLN, C_BGLN)]
        y_BGLD, state_BGDN = _scan(read[0], read[1], A_GDN, read[2], read[3])
        y_BGLD = take_tokens(y_BGLD, None if order_GL is None else order_GL.argsort(dim=1))
        if D_GD is not None:
            y_BGLD = y_BGLD + D_GD.to(dtype)[:, None] * x_BGLD
    return y_BGLD, state_BGDN


def take_tokens(x_BGLD: Tensor, order_GL: Tensor | None) -> Tensor:
    """Element l of route g of the result is token order_GL[g, l]; x itself where there is no order."""
    if order_GL is None:
        return x_BGLD
    return x_BGLD.gather(2, order_GL[None, :, :, None].expand_as(x_BGLD))


def _no_autocast(device_type: str) -> contextlib.AbstractContextManager[None]:
    """Mixed precision must not reach the recurrence: thousands of half-precision decays multiply to noise."""
    if not torch.amp.is_autocast_available(device_type):
        return contextlib.nullcontext()
    return torch.autocast(device_type, enabled=False)


def _scan(
    x_BGLD: Tensor, delta_BGLD: Tensor, A_GDN: Tensor, B_BGLN: Tensor, C_BGLN: Tensor
) -> tuple[Tensor, Tensor]:
    batch, _, length, _ = x_BGLD.shape
    A_GND = A_GDN.mT.contiguous()  # channels last: C . h is then a fast product
    state_BGND = A_GND.new_zeros((batch, *A_GND.shape))
    segment_states = _SEGMENT_STATES.get(x_BGLD.device.type, _SEGMENT_STATES_ELSEWHERE)
    segment = max(1, segment_states // max(1, state_BGND.numel()))
    outputs: list[Tensor] = []
    for first in range(0, length, segment):
        x_BGSD, delta_BGSD, B_BGSN, C_BGSN = (
            tensor[:, :, first : first + segment] for tensor in (x_BGLD, delta_BGLD, B_BGLN, C_BGLN)
        )
        inputs = (state_BGND, x_BGSD, delta_BGSD, A_GND, B_BGSN, C_BGSN)
        if torch.is_grad_enabled() and length > segment:
            y_BGSD, state_BGND = checkpoint(
                _scan_segment, *inputs, use_reentrant=False, preserve_rng_state=False
            )
        else:
            y_BGSD, state_BGND = _scan_segment(*inputs)
        outputs.append(y_BGSD)
    return (torch.cat(outputs, dim=2) if outputs else torch.zeros_like(x_BGLD)), state_BGND.mT


def _scan_segment(
    state_BGND: Tensor, x_BGSD: Tensor, delta_BGSD: Tensor, A_GND: Tensor, B_BGSN: Tensor, C_BGSN: Tensor
) -> tuple[Tensor, Tensor]:
    """From the state before a segment to its outputs, without D * x, and the state after it."""
    length = x_BGSD.shape[2]
    steps = math.isqrt(length - 1) + 1  # T + K operations are fewest at T = K
    delta_BGKTD = _chunked(delta_BGSD, steps)
    B_BGKTN, C_BGKTN = _chunked(B_BGSN, steps), _chunked(C_BGSN, steps)
    A_GKND = A_GND[:, None]

    # Every chunk from a zero state, in lockstep. (unbind: the gradient of an index is a tensor of full size.)
    input_BGKTD = delta_BGKTD * _chunked(x_BGSD, steps)
    local_BGKND = torch.zeros((), dtype=x_BGSD.dtype, device=x_BGSD.device)
    outputs: list[Tensor] = []
    by_step = (tensor.unbind(3) for tensor in (delta_BGKTD, input_BGKTD, B_BGKTN, C_BGKTN))
    for delta_BGKD, input_BGKD, B_BGKN, C_BGKN in zip(*by_step, strict=True):
        decay_BGKND = torch.exp(delta_BGKD[..., None, :] * A_GKND)
        local_BGKND = decay_BGKND * local_BGKND + input_BGKD[..., None, :] * B_BGKN[..., None]
        outputs.append((C_BGKN[..., None, :] @ local_BGKND).squeeze(-2))
    y_BGKTD = torch.stack(outputs, dim=3)

    # The state each chunk starts from.
    elapsed_BGKTD = delta_BGKTD.cumsum(dim=3)
    chunk_decay_BGKND = torch.exp(elapsed_BGKTD[:, :, :, -1, None, :] * A_GKND)
    starts: list[Tensor] = []
    for decay_BGND, local_BGND in zip(chunk_decay_BGKND.unbind(2), local_BGKND.unbind(2), strict=True):
        starts.append(state_BGND)
        state_BGND = decay_BGND * state_BGND + local_BGND
    start_BGKND = torch.stack(starts, dim=2)

    # What is left of it at each step of the chunk.
    inherited_BGKTND = (
        torch.exp(elapsed_BGKTD[..., None, :] * A_GKND[:, :, None]) * start_BGKND[:, :, :, None]
    )
    y_BGKTD = y_BGKTD + (C_BGKTN[..., None, :] @ inherited_BGKTND).squeeze(-2)
    return y_BGKTD.flatten(2, 3)[:, :, :length], state_BGND


def _chunked(x_BGSD: Tensor, steps: int) -> Tensor:
    """(B, G, S, D) to (B, G, K, T, D). Zeros at the end are steps of no duration: they leave the state."""
    missing = -x_BGSD.shape[2] % steps
    return F.pad(x_BGSD, (0, 0, 0, missing)).unflatten(2, (-1, steps))
