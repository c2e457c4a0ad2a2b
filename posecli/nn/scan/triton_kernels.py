"""The kernels of the triton backend. Triton compiles them at the first call, and caches them on disk.

One program scans one route of one batch element, for LANES channels and CHUNK steps, with all their states in
registers. Rows of x, delta, B and C are read where they are, by the route's order. Routes times blocks of
channels are too few programs to fill a GPU, so the steps are cut into chunks too, and all routes are scanned
in three launches:

    chunk_states     every chunk from a zero state: the state at its end, and its duration;
    carry            over the chunks: state = exp(A * duration) * state + the chunk's own;
    outputs          every chunk again, now from the right state.

The backward pass does the same from the end, with the adjoint recurrence that numba_kernels states:
chunk_adjoints, carry, gradients. The last one recomputes the states of its chunk.

Pointers are named after what they point into. It is contiguous, and of any float type that Triton reads: the
arithmetic is float32. Lanes beyond the last channel and states beyond the last one are zeros, and stay zeros.
Annotations are Triton's own names: it evaluates them. Pointers and numbers are `tensor`s in a kernel.

Shapes: B batch, G routes, L tokens, D channels of a route, N states (in registers padded to S, a power of
two); K chunks of T = CHUNK steps, P blocks of W = LANES channels, R programs at a time. x has 1 or G routes,
and order 1 or G rows.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language import constexpr, tensor

LANES = 32
CHUNK = 32
CARRIED = 16  # chunks that `carry` reads at a time
LN_2 = tl.constexpr(0.6931471805599453)  # rates are A * log2(e)


@triton.jit
def _softplus(v: tensor) -> tensor:
    """log(1 + exp(v)) = max(v, 0) + log1p(e), e = exp(-|v|); log1p(e) = 2 artanh(s), s = e / (2 + e).

    The logarithm of a GPU is inaccurate near 1. The polynomial is the one of numba_kernels.
    """
    e = tl.exp(-tl.abs(v))
    s = e / (2.0 + e)
    s2 = s * s
    p = 0.28178390860557556 * s2 + 0.279605895280838
    p = p * s2 + 0.4002491235733032
    p = p * s2 + 0.6666631698608398
    p = p * s2 + 2.0
    return tl.where(v > 0, v, 0.0) + s * p


@triton.jit
def _sigmoid(v: tensor) -> tensor:
    """The derivative of softplus."""
    e = tl.exp(-tl.abs(v))
    return tl.where(v > 0, 1.0, e) / (1.0 + e)


@triton.jit
def _place(task: tensor, chunks: tensor, channels: tensor, LANES: constexpr) -> tensor:
    """What a task is about: the scan (route of a batch element), the chunk, and the channels."""
    blocks = tl.cdiv(channels, LANES)
    lane_W = task % blocks * LANES + tl.arange(0, LANES)
    return (task // (blocks * chunks)).to(tl.int64), task // blocks % chunks, lane_W


@triton.jit
def _read_parameters(row_D: tensor, route: tensor, lane_W: tensor, channels: tensor) -> tensor:
    return tl.load(row_D + route * channels + lane_W, mask=lane_W < channels, other=0.0)


@triton.jit
def _read_states(
    table_ND: tensor,
    row: tensor,
    lane_W: tensor,
    state_S: tensor,
    channels: tensor,
    states: tensor,
) -> tensor:
    """A block of table number `row` of many, (S, W)."""
    inside_SW = (state_S[:, None] < states) & (lane_W[None, :] < channels)
    return tl.load(_states_at(table_ND, row, lane_W, state_S, channels, states), mask=inside_SW, other=0.0)


@triton.jit
def _write_states(
    table_ND: tensor,
    row: tensor,
    lane_W: tensor,
    state_S: tensor,
    channels: tensor,
    states: tensor,
    values_SW: tensor,
) -> None:
    inside_SW = (state_S[:, None] < states) & (lane_W[None, :] < channels)
    tl.store(_states_at(table_ND, row, lane_W, state_S, channels, states), values_SW, mask=inside_SW)


@triton.jit
def _states_at(
    table_ND: tensor,
    row: tensor,
    lane_W: tensor,
    state_S: tensor,
    channels: tensor,
    states: tensor,
) -> tensor:
    return table_ND + (row * states + state_S[:, None]) * channels + lane_W[None, :]


@triton.jit
def _input_of(
    x_BGLD: tensor,
    scan: tensor,
    routes: tensor,
    x_routes: tensor,
    length: tensor,
    channels: tensor,
) -> tensor:
    """The table of x that a scan reads: its own, or the one that all routes of its batch element share."""
    return x_BGLD + (scan // routes * x_routes + scan % routes % x_routes) * length * channels


@triton.jit
def _advance(
    h_SW: tensor, rate_SW: tensor, bias_W: tensor, x_LD: tensor, delta_LD: tensor, B_LN: tensor,
    token: tensor, lane_W: tensor, state_S: tensor, channels: tensor, states: tensor, SOFTPLUS: constexpr,
) -> tensor:  # fmt: skip
    """One step: the state after it, the input, and the duration."""
    inside_W = lane_W < channels
    at_W = token * channels + lane_W
    x_W = tl.load(x_LD + at_W, mask=inside_W, other=0.0).to(tl.float32)
    dt_W = tl.load(delta_LD + at_W, mask=inside_W, other=0.0).to(tl.float32) + bias_W
    B_S = tl.load(B_LN + token * states + state_S, mask=state_S < states, other=0.0).to(tl.float32)
    if SOFTPLUS:
        dt_W = _softplus(dt_W)
    h_SW = tl.exp2(rate_SW * dt_W[None, :]) * h_SW + (dt_W * x_W)[None, :] * B_S[:, None]
    return h_SW, x_W, dt_W


@triton.jit
def chunk_states(
    x_BGLD: tensor, delta_BGLD: tensor, rates_GND: tensor, B_BGLN: tensor, bias_GD: tensor, order_GL: tensor,
    state_BGKND: tensor,  # K + 1 of them; written from the second on
    duration_BGKD: tensor,  # written
    routes: tensor, x_routes: tensor, orders: tensor, length: tensor, channels: tensor, states: tensor,
    chunks: tensor, SOFTPLUS: constexpr, STATES: constexpr, CHUNK: constexpr, LANES: constexpr,
) -> None:  # fmt: skip
    scan, chunk, lane_W = _place(tl.program_id(0), chunks, channels, LANES)
    state_S = tl.arange(0, STATES)
    route = scan % routes
    order_L = order_GL + route % orders * length
    x_LD = _input_of(x_BGLD, scan, routes, x_routes, length, channels)
    delta_LD, B_LN = delta_BGLD + scan * length * channels, B_BGLN + scan * length * states
    rate_SW = _read_states(rates_GND, route, lane_W, state_S, channels, states)
    bias_W = _read_parameters(bias_GD, route, lane_W, channels)
    h_SW = tl.zeros((STATES, LANES), tl.float32)
    duration_W = tl.zeros((LANES,), tl.float32)
    for step in range(chunk * CHUNK, min(length, chunk * CHUNK + CHUNK)):
        h_SW, _, dt_W = _advance(
            h_SW, rate_SW, bias_W, x_LD, delta_LD, B_LN,
            tl.load(order_L + step), lane_W, state_S, channels, states, SOFTPLUS,
        )  # fmt: skip
        duration_W += dt_W
    _write_states(state_BGKND, scan * (chunks + 1) + chunk + 1, lane_W, state_S, channels, states, h_SW)
    duration_at_W = duration_BGKD + (scan * chunks + chunk) * channels + lane_W
    tl.store(duration_at_W, duration_W, mask=lane_W < channels)


@triton.jit
def chunk_adjoints(
    delta_BGLD: tensor, rates_GND: tensor, C_BGLN: tensor, bias_GD: tensor, order_GL: tensor, dy_BGLD: tensor,
    adjoint_BGKND: tensor,  # K + 1 of them, from the last chunk to the first; written from the second on
    routes: tensor, x_routes: tensor, orders: tensor, length: tensor, channels: tensor, states: tensor,
    chunks: tensor, SOFTPLUS: constexpr, STATES: constexpr, CHUNK: constexpr, LANES: constexpr,
) -> None:  # fmt: skip
    """The gradient by the state before each chunk of the outputs in it."""
    scan, chunk, lane_W = _place(tl.program_id(0), chunks, channels, LANES)
    inside_W = lane_W < channels
    state_S = tl.arange(0, STATES)
    route = scan % routes
    order_L = order_GL + route % orders * length
    delta_LD, dy_LD = delta_BGLD + scan * length * channels, dy_BGLD + scan * length * channels
    C_LN = C_BGLN + scan * length * states
    rate_SW = _read_states(rates_GND, route, lane_W, state_S, channels, states)
    bias_W = _read_parameters(bias_GD, route, lane_W, channels)
    g_SW = tl.zeros((STATES, LANES), tl.float32)
    first = chunk * CHUNK
    end = min(length, first + CHUNK)
    for back in range(end - first):
        token = tl.load(order_L + end - 1 - back)
        at_W = token * channels + lane_W
        dy_W = tl.load(dy_LD + at_W, mask=inside_W, other=0.0)
        dt_W = tl.load(delta_LD + at_W, mask=inside_W, other=0.0).to(tl.float32) + bias_W
        C_S = tl.load(C_LN + token * states + state_S, mask=state_S < states, other=0.0).to(tl.float32)
        if SOFTPLUS:
            dt_W = _softplus(dt_W)
        g_SW = tl.exp2(rate_SW * dt_W[None, :]) * (g_SW + dy_W[None, :] * C_S[:, None])
    row = scan * (chunks + 1) + chunks - chunk
    _write_states(adjoint_BGKND, row, lane_W, state_S, channels, states, g_SW)


@triton.jit
def _then(decay: tensor, value: tensor, later_decay: tensor, later_value: tensor) -> tensor:
    """Two steps of h = decay * h + value in one."""
    return decay * later_decay, later_decay * value + later_value


@triton.jit
def carry(
    state_BGKND: tensor,  # K + 1 of them: the first is read, the others become what they are with it
    duration_BGKD: tensor, rates_GND: tensor, routes: tensor, channels: tensor, states: tensor,
    chunks: tensor, REVERSE: constexpr, CARRIED: constexpr, LANES: constexpr,
) -> None:  # fmt: skip
    """One scan over the chunks a state: REVERSE goes through the durations from the last to the first."""
    scan, n, lane_W = _place(tl.program_id(0), states, channels, LANES)
    inside_W = lane_W < channels
    rate_W = tl.load(rates_GND + (scan % routes * states + n) * channels + lane_W, mask=inside_W, other=0.0)
    table = state_BGKND + (scan * (chunks + 1) * states + n) * channels
    h_W = tl.load(table + lane_W, mask=inside_W, other=0.0)
    for first in range(0, chunks, CARRIED):
        chunk_C = first + tl.arange(0, CARRIED)
        inside_CW = (chunk_C[:, None] < chunks) & inside_W[None, :]
        duration_row_C = chunks - 1 - chunk_C if REVERSE else chunk_C
        duration_at_CW = (
            duration_BGKD + (scan * chunks + duration_row_C[:, None]) * channels + lane_W[None, :]
        )
        duration_CW = tl.load(duration_at_CW, mask=inside_CW, other=0.0)
        state_at_CW = table + (chunk_C[:, None] + 1).to(tl.int64) * states * channels + lane_W[None, :]
        own_CW = tl.load(state_at_CW, mask=inside_CW, other=0.0)
        decay_CW, own_CW = tl.associative_scan((tl.exp2(rate_W[None, :] * duration_CW), own_CW), 0, _then)
        h_CW = decay_CW * h_W[None, :] + own_CW
        tl.store(state_at_CW, h_CW, mask=inside_CW)
        # Chunks beyond the last have no duration and no state of their own: the last row is always right.
        h_W = tl.sum(tl.where(chunk_C[:, None] == first + CARRIED - 1, h_CW, 0.0), 0)


@triton.jit
def outputs(
    x_BGLD: tensor, delta_BGLD: tensor, rates_GND: tensor, B_BGLN: tensor, C_BGLN: tensor, D_GD: tensor,
    bias_GD: tensor, order_GL: tensor, state_BGKND: tensor,
    y_BGLD: tensor,  # written
    routes: tensor, x_routes: tensor, orders: tensor, length: tensor, channels: tensor, states: tensor,
    chunks: tensor, SOFTPLUS: constexpr, STATES: constexpr, CHUNK: constexpr, LANES: constexpr,
) -> None:  # fmt: skip
    scan, chunk, lane_W = _place(tl.program_id(0), chunks, channels, LANES)
    state_S = tl.arange(0, STATES)
    route = scan % routes
    order_L = order_GL + route % orders * length
    x_LD = _input_of(x_BGLD, scan, routes, x_routes, length, channels)
    delta_LD, y_LD = delta_BGLD + scan * length * channels, y_BGLD + scan * length * channels
    B_LN, C_LN = B_BGLN + scan * length * states, C_BGLN + scan * length * states
    rate_SW = _read_states(rates_GND, route, lane_W, state_S, channels, states)
    bias_W = _read_parameters(bias_GD, route, lane_W, channels)
    D_W = _read_parameters(D_GD, route, lane_W, channels)
    h_SW = _read_states(state_BGKND, scan * (chunks + 1) + chunk, lane_W, state_S, channels, states)
    for step in range(chunk * CHUNK, min(length, chunk * CHUNK + CHUNK)):
        token = tl.load(order_L + step)
        C_S = tl.load(C_LN + token * states + state_S, mask=state_S < states, other=0.0).to(tl.float32)
        h_SW, x_W, _ = _advance(
            h_SW, rate_SW, bias_W, x_LD, delta_LD, B_LN, token, lane_W, state_S, channels, states, SOFTPLUS
        )  # fmt: skip
        y_W = tl.sum(h_SW * C_S[:, None], 0) + D_W * x_W
        tl.store(y_LD + token * channels + lane_W, y_W, mask=lane_W < channels)


@triton.jit
def _recompute_chunk(
    h_SW: tensor, rate_SW: tensor, bias_W: tensor, x_LD: tensor, delta_LD: tensor,
    B_LN: tensor, order_L: tensor, first: tensor, end: tensor, lane_W: tensor,
    state_S: tensor, channels: tensor, states: tensor,
    scratch_SW: tensor,  # the place of the first step's state; written, the state before each step
    SOFTPLUS: constexpr, STATES: constexpr, LANES: constexpr,
) -> None:  # fmt: skip
    tl.debug_barrier()  # after it, no thread reads the scratch of the chunk before
    for step in range(first, end):
        tl.store(scratch_SW + (step - first) * STATES * LANES, h_SW)
        h_SW, _, _ = _advance(
            h_SW, rate_SW, bias_W, x_LD, delta_LD, B_LN,
            tl.load(order_L + step), lane_W, state_S, channels, states, SOFTPLUS,
        )  # fmt: skip
    tl.debug_barrier()  # after it, all of the scratch is written


@triton.jit
def gradients(
    x_BGLD: tensor, delta_BGLD: tensor, rates_GND: tensor, B_BGLN: tensor, C_BGLN: tensor, D_GD: tensor,
    bias_GD: tensor, order_GL: tensor, state_BGKND: tensor, dy_BGLD: tensor,
    adjoint_BGKND: tensor,  # read; then a chunk's part of the gradient by A takes its place
    scratch_RTSW: tensor,  # the states of the chunk that a program is at, each before its step
    dx_BGLD: tensor, ddelta_BGLD: tensor,  # written; (B, G, L, D) even where x is shared
    dB_PBGLN: tensor, dC_PBGLN: tensor,  # written, a part for each block of channels
    dD_BGKD: tensor,  # written, a part for each chunk
    batch: tensor, routes: tensor, x_routes: tensor, orders: tensor, length: tensor, channels: tensor,
    states: tensor, chunks: tensor,
    SOFTPLUS: constexpr, STATES: constexpr, CHUNK: constexpr, LANES: constexpr,
) -> None:  # fmt: skip
    state_S = tl.arange(0, STATES)
    scratch_TSW = scratch_RTSW + tl.program_id(0).to(tl.int64) * CHUNK * STATES * LANES
    scratch_SW = scratch_TSW + state_S[:, None] * LANES + tl.arange(0, LANES)[None, :]
    tasks = batch * routes * chunks * tl.cdiv(channels, LANES)
    for task in range(tl.program_id(0), tasks, tl.num_programs(0)):
        scan, chunk, lane_W = _place(task, chunks, channels, LANES)
        inside_W = lane_W < channels
        first = chunk * CHUNK
        end = min(length, first + CHUNK)
        route = scan % routes
        order_L = order_GL + route % orders * length
        x_LD = _input_of(x_BGLD, scan, routes, x_routes, length, channels)
        delta_LD, dy_LD = delta_BGLD + scan * length * channels, dy_BGLD + scan * length * channels
        dx_LD, ddelta_LD = dx_BGLD + scan * length * channels, ddelta_BGLD + scan * length * channels
        B_LN, C_LN = B_BGLN + scan * length * states, C_BGLN + scan * length * states
        part = (task % tl.cdiv(channels, LANES) * batch * routes + scan) * length * states
        dB_LN, dC_LN = dB_PBGLN + part, dC_PBGLN + part
        rate_SW = _read_states(rates_GND, route, lane_W, state_S, channels, states)
        bias_W = _read_parameters(bias_GD, route, lane_W, channels)
        D_W = _read_parameters(D_GD, route, lane_W, channels)

        h_SW = _read_states(state_BGKND, scan * (chunks + 1) + chunk, lane_W, state_S, channels, states)
        _recompute_chunk(
            h_SW, rate_SW, bias_W, x_LD, delta_LD, B_LN, order_L, first, end, lane_W, state_S,
            channels, states, scratch_SW, SOFTPLUS, STATES, LANES,
        )  # fmt: skip

        adjoint_row = scan * (chunks + 1) + chunks - 1 - chunk
        g_SW = _read_states(adjoint_BGKND, adjoint_row, lane_W, state_S, channels, states)
        dA_SW = tl.zeros((STATES, LANES), tl.float32)
        dD_W = tl.zeros((LANES,), tl.float32)
        for back in range(end - first):
            step = end - 1 - back
            token = tl.load(order_L + step)
            at_W, at_S = token * channels + lane_W, token * states + state_S
            x_W = tl.load(x_LD + at_W, mask=inside_W, other=0.0).to(tl.float32)
            dy_W = tl.load(dy_LD + at_W, mask=inside_W, other=0.0)
            delta_W = tl.load(delta_LD + at_W, mask=inside_W, other=0.0).to(tl.float32) + bias_W
            B_S = tl.load(B_LN + at_S, mask=state_S < states, other=0.0).to(tl.float32)
            C_S = tl.load(C_LN + at_S, mask=state_S < states, other=0.0).to(tl.float32)
            before_SW = tl.load(scratch_SW + (step - first) * STATES * LANES)
            dt_W = delta_W
            if SOFTPLUS:
                dt_W = _softplus(delta_W)
            input_W = dt_W * x_W
            decay_SW = tl.exp2(rate_SW * dt_W[None, :])
            h_SW = decay_SW * before_SW + input_W[None, :] * B_S[:, None]
            g_SW += dy_W[None, :] * C_S[:, None]
            tl.store(dC_LN + at_S, tl.sum(h_SW * dy_W[None, :], 1), mask=state_S < states)
            tl.store(dB_LN + at_S, tl.sum(g_SW * input_W[None, :], 1), mask=state_S < states)
            dinput_W = tl.sum(g_SW * B_S[:, None], 0)
            g_SW *= decay_SW
            q_SW = g_SW * before_SW
            dA_SW += q_SW * dt_W[None, :]
            dD_W += dy_W * x_W
            ddelta_W = tl.sum(q_SW * rate_SW, 0) * LN_2 + dinput_W * x_W
            if SOFTPLUS:
                ddelta_W *= _sigmoid(delta_W)
            tl.store(dx_LD + at_W, dinput_W * dt_W + D_W * dy_W, mask=inside_W)
            tl.store(ddelta_LD + at_W, ddelta_W, mask=inside_W)
        _write_states(adjoint_BGKND, adjoint_row, lane_W, state_S, channels, states, dA_SW)
        tl.store(dD_BGKD + (scan * chunks + chunk) * channels + lane_W, dD_W, mask=inside_W)
