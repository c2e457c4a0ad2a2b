"""The float32 kernels of the numba backend. Compiled at the first call, then cached on disk.

One task scans one route of one batch element for LANES channels, from the first step to the last. Channels
are the lanes of the vector unit, the loop over the states is inside the loop over the steps, and the block's
states stay in the first-level cache. Rows of x, delta, B and C are read where they are, by the route's order.
Lanes beyond the last channel have x = A = 0 and stay zero.

The backward pass keeps no states but those at the start of every CHUNK steps: it recomputes a chunk forwards,
then runs the adjoint recurrence backwards through it. With g[l] the gradient of the loss by h[l],

    g[l] = dy[l] * C[l] + exp(delta[l+1] * A) * g[l+1]
    q[l] = g[l] * exp(delta[l] * A) * h[l-1]
    dC[l] = sum over channels of dy[l] * h[l]    dB[l] = sum over channels of g[l] * delta[l] * x[l]
    dA = sum over steps of q[l] * delta[l]       ddelta[l] = sum over states of q[l] * A + g[l] * B[l] * x[l]

Shapes: B batch, G routes, L tokens, D channels of a route, N states; P blocks of W = LANES channels; K chunks
of T = CHUNK steps. Every array is C-contiguous, so that there is one compiled signature a kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic

LANES = 32
CHUNK = 32

# Sums may be reordered and products fused; NaN and infinity keep their meaning, unlike under "fast". Divisions go
# unchecked: Python's check for zero would keep their loop from being vectorised.
_OPTIONS: Any = {"fastmath": {"contract", "reassoc", "nsz", "arcp"}, "error_model": "numpy"}
_LOG2_E = np.float32(1.4426950408889634)
_LN_2 = np.float32(0.6931471805599453)
_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@intrinsic
def _times_power_of_two(typing_context: Any, x: Any, exponent: Any) -> Any:
    """x * 2 ** exponent for a normal x and an integral float exponent, added to the exponent bits of x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        int32 = ir.IntType(32)
        bits = builder.bitcast(arguments[0], int32)
        shifted = builder.shl(builder.fptosi(arguments[1], int32), ir.Constant(int32, 23))
        return builder.bitcast(builder.add(bits, shifted), ir.FloatType())

    return types.float32(types.float32, types.float32), generate


@njit(**_OPTIONS)
def _exp2(t: Any) -> Any:
    """2 ** t for t <= 0, to 2e-7 relative; 2 ** -126 below that; NaN stays NaN. Exactly 1 at 0.

    The polynomial is a minimax fit of (2 ** f - 1) / f on [-1/2, 1/2].
    """
    t = np.float32(-126.0) if t < np.float32(-126.0) else t
    nearest = np.rint(t)
    f = t - nearest
    p = np.float32(0.001326472731307149)
    p = p * f + np.float32(0.009671512991189957)
    p = p * f + np.float32(0.05550733581185341)
    p = p * f + np.float32(0.24022242426872253)
    p = p * f + np.float32(0.6931470036506653)
    p = p * f + _ONE
    return _times_power_of_two(p, nearest)  # type: ignore[call-arg]


@njit(**_OPTIONS)
def _softplus(v: Any) -> Any:
    """log(1 + exp(v)) = max(v, 0) + log1p(e), e = exp(-|v|); log1p(e) = 2 artanh(s), s = e / (2 + e)."""
    e = _exp2(-abs(v) * _LOG2_E)
    s = e / (np.float32(2.0) + e)
    s2 = s * s
    p = np.float32(0.28178390860557556)
    p = p * s2 + np.float32(0.279605895280838)
    p = p * s2 + np.float32(0.4002491235733032)
    p = p * s2 + np.float32(0.6666631698608398)
    p = p * s2 + np.float32(2.0)
    return (v if v > _ZERO else _ZERO) + s * p


@njit(**_OPTIONS)
def _sigmoid(v: Any) -> Any:
    """The derivative of softplus."""
    e = _exp2(-abs(v) * _LOG2_E)
    return (_ONE if v > _ZERO else e) / (_ONE + e)


@njit(**_OPTIONS)
def _read_decay_rates(A_DN: Any, rates_NW: Any, first: int, width: int) -> None:
    """A * log2(e), transposed: the kernels exponentiate to base 2."""
    for w in range(width):
        for n in range(rates_NW.shape[0]):
            rates_NW[n, w] = A_DN[first + w, n] * _LOG2_E


@njit(**_OPTIONS)
def _read_lanes(row_D: Any, first: int, end: int, lanes_W: Any) -> None:
    """A block's part of a row, into the full width of the vector unit. Lanes beyond it keep their zeros."""
    part = row_D[
        first:end
    ]  # indices from 0: so the compiler sees a contiguous load, not possibly negative indices
    for w in range(len(part)):
        lanes_W[w] = part[w]


@njit(**_OPTIONS)
def _add_bias(delta_W: Any, bias_W: Any, softplus: bool, dt_W: Any) -> None:
    """delta becomes delta + bias, and dt the duration of the step: that, or its softplus."""
    for w in range(LANES):
        delta_W[w] += bias_W[w]
    if softplus:
        for w in range(LANES):
            dt_W[w] = _softplus(delta_W[w])
    else:
        for w in range(LANES):
            dt_W[w] = delta_W[w]


@njit(**_OPTIONS)
def _copy(source_NW: Any, target_NW: Any) -> None:
    for n in range(source_NW.shape[0]):
        for w in range(LANES):
            target_NW[n, w] = source_NW[n, w]


@njit(**_OPTIONS)
def _forward_block(
    x_LD: Any,
    delta_LD: Any,
    A_DN: Any,
    B_LN: Any,
    C_LN: Any,
    D_D: Any,
    bias_D: Any,
    softplus: bool,
    order_L: Any,
    first: int,
    y_LD: Any,
    last_DN: Any,
    starts_KNW: Any,
) -> None:
    length, channels = delta_LD.shape
    states = A_DN.shape[1]
    end = min(first + LANES, channels)
    width = end - first
    h_NW, rates_NW = np.zeros((states, LANES), np.float32), np.zeros((states, LANES), np.float32)
    lanes = np.zeros((7, LANES), np.float32)
    x_W, delta_W, dt_W, input_W, y_W = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    bias_W, D_W = lanes[5], lanes[6]
    _read_decay_rates(A_DN, rates_NW, first, width)
    _read_lanes(bias_D, first, end, bias_W)
    _read_lanes(D_D, first, end, D_W)

    for step in range(length):
        if starts_KNW.shape[0] > 0 and step % CHUNK == 0:
            _copy(h_NW, starts_KNW[step // CHUNK])
        token = order_L[step]
        B_N, C_N, y_out_W = B_LN[token], C_LN[token], y_LD[token, first:end]
        _read_lanes(x_LD[token], first, end, x_W)
        _read_lanes(delta_LD[token], first, end, delta_W)
        _add_bias(delta_W, bias_W, softplus, dt_W)
        for w in range(LANES):
            input_W[w] = dt_W[w] * x_W[w]
            y_W[w] = D_W[w] * x_W[w]
        for n in range(states):
            b, c = B_N[n], C_N[n]
            for w in range(LANES):
                h = _exp2(rates_NW[n, w] * dt_W[w]) * h_NW[n, w] + input_W[w] * b
                h_NW[n, w] = h
                y_W[w] += h * c
        for w in range(width):
            y_out_W[w] = y_W[w]

    for w in range(width):
        for n in range(states):
            last_DN[first + w, n] = h_NW[n, w]


@njit(parallel=True, nogil=True, cache=True, **_OPTIONS)
def forward(
    x_BGLD: Any,  # (B, 1 or G, L, D)
    delta_BGLD: Any,
    A_GDN: Any,
    B_BGLN: Any,
    C_BGLN: Any,
    D_GD: Any,
    bias_GD: Any,
    softplus: bool,
    order_GL: Any,  # (1 or G, L) int64
    y_BGLD: Any,  # written
    last_BGDN: Any,  # written
    starts_BGPKNW: Any,  # written, unless K = 0
) -> None:
    batch, routes, _, channels = delta_BGLD.shape
    blocks = (channels + LANES - 1) // LANES
    for task in prange(batch * routes * blocks):
        block = task % blocks
        g = task // blocks % routes
        b = task // (blocks * routes)
        _forward_block(
            x_BGLD[b, min(g, x_BGLD.shape[1] - 1)],
            delta_BGLD[b, g],
            A_GDN[g],
            B_BGLN[b, g],
            C_BGLN[b, g],
            D_GD[g],
            bias_GD[g],
            softplus,
            order_GL[min(g, order_GL.shape[0] - 1)],
            block * LANES,
            y_BGLD[b, g],
            last_BGDN[b, g],
            starts_BGPKNW[b, g, block],
        )


@njit(**_OPTIONS)
def _recompute_chunk(
    x_LD: Any,
    delta_LD: Any,
    B_LN: Any,
    tokens_T: Any,  # as many as the chunk has steps
    softplus: bool,
    first: int,
    end: int,
    bias_W: Any,
    rates_NW: Any,
    steps_T4W: Any,  # written: x, delta with its bias, dt, dt * x
    decay_TNW: Any,  # written
    h_TNW: Any,  # the first state is read, the others are written
) -> None:
    for t in range(len(tokens_T)):
        token = tokens_T[t]
        x_W, delta_W, dt_W, input_W = steps_T4W[t, 0], steps_T4W[t, 1], steps_T4W[t, 2], steps_T4W[t, 3]
        decay_NW, before_NW, after_NW, B_N = decay_TNW[t], h_TNW[t], h_TNW[t + 1], B_LN[token]
        _read_lanes(x_LD[token], first, end, x_W)
        _read_lanes(delta_LD[token], first, end, delta_W)
        _add_bias(delta_W, bias_W, softplus, dt_W)
        for w in range(LANES):
            input_W[w] = dt_W[w] * x_W[w]
        for n in range(len(B_N)):
            b = B_N[n]
            for w in range(LANES):
                decay = _exp2(rates_NW[n, w] * dt_W[w])
                decay_NW[n, w] = decay
                after_NW[n, w] = decay * before_NW[n, w] + input_W[w] * b


@njit(**_OPTIONS)
def _adjoint_step(
    adjoint_N3W: Any,  # rates (A * log2(e)); the gradient by the state, updated; the gradient by A, updated
    dt_W: Any,
    input_W: Any,
    dy_W: Any,
    B_N: Any,
    C_N: Any,
    before_NW: Any,
    decay_NW: Any,
    after_NW: Any,
    gradient_2W: Any,  # by delta * x, and by delta * log2(e) through the decay: both added to
    dB_N: Any,
    dC_N: Any,
) -> None:
    for n in range(len(B_N)):
        b, c = B_N[n], C_N[n]
        dB, dC = _ZERO, _ZERO
        for w in range(LANES):
            g = adjoint_N3W[n, 1, w] + dy_W[w] * c
            dC += dy_W[w] * after_NW[n, w]
            dB += input_W[w] * g
            gradient_2W[0, w] += g * b
            g_before = g * decay_NW[n, w]
            q = g_before * before_NW[n, w]
            gradient_2W[1, w] += q * adjoint_N3W[n, 0, w]
            adjoint_N3W[n, 1, w] = g_before
            adjoint_N3W[n, 2, w] += q * dt_W[w]
        dB_N[n], dC_N[n] = dB, dC


@njit(**_OPTIONS)
def _backward_block(
    x_LD: Any,
    delta_LD: Any,
    A_DN: Any,
    B_LN: Any,
    C_LN: Any,
    D_D: Any,
    bias_D: Any,
    softplus: bool,
    order_L: Any,
    first: int,
    starts_KNW: Any,
    dy_LD: Any,
    dlast_DN: Any,
    dx_LD: Any,
    ddelta_LD: Any,
    dA_DN: Any,
    dB_LN: Any,
    dC_LN: Any,
    dD_D: Any,
    dbias_D: Any,
) -> None:
    channels, states = A_DN.shape
    end = min(first + LANES, channels)
    width = end - first
    h_TNW = np.zeros((CHUNK + 1, states, LANES), np.float32)
    decay_TNW = np.zeros((CHUNK, states, LANES), np.float32)
    rates_NW, adjoint_N3W = np.zeros((states, LANES), np.float32), np.zeros((states, 3, LANES), np.float32)
    steps_T4W = np.zeros((CHUNK, 4, LANES), np.float32)
    lanes, gradient_2W = np.zeros((6, LANES), np.float32), np.zeros((2, LANES), np.float32)
    dy_W, ddelta_W, bias_W, D_W, dD_W, dbias_W = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5]
    _read_lanes(bias_D, first, end, bias_W)
    _read_lanes(D_D, first, end, D_W)
    _read_decay_rates(A_DN, rates_NW, first, width)
    for n in range(states):
        for w in range(width):
            adjoint_N3W[n, 0, w] = rates_NW[n, w]
            adjoint_N3W[n, 1, w] = dlast_DN[first + w, n]

    for chunk in range(starts_KNW.shape[0] - 1, -1, -1):
        tokens_T = order_L[chunk * CHUNK : (chunk + 1) * CHUNK]
        _copy(starts_KNW[chunk], h_TNW[0])
        _recompute_chunk(
            x_LD, delta_LD, B_LN, tokens_T, softplus, first, end, bias_W, rates_NW, steps_T4W, decay_TNW, h_TNW
        )  # fmt: skip

        for t in range(len(tokens_T) - 1, -1, -1):
            token = tokens_T[t]
            x_W, delta_W, dt_W, input_W = steps_T4W[t, 0], steps_T4W[t, 1], steps_T4W[t, 2], steps_T4W[t, 3]
            dx_out_W, ddelta_out_W = dx_LD[token, first:end], ddelta_LD[token, first:end]
            _read_lanes(dy_LD[token], first, end, dy_W)
            for w in range(LANES):
                gradient_2W[0, w] = _ZERO
                gradient_2W[1, w] = _ZERO
            _adjoint_step(
                adjoint_N3W, dt_W, input_W, dy_W, B_LN[token], C_LN[token],
                h_TNW[t], decay_TNW[t], h_TNW[t + 1], gradient_2W, dB_LN[token], dC_LN[token],
            )  # fmt: skip
            for w in range(LANES):
                ddelta_W[w] = gradient_2W[1, w] * _LN_2 + gradient_2W[0, w] * x_W[w]
                dD_W[w] += dy_W[w] * x_W[w]
            if softplus:
                for w in range(LANES):
                    ddelta_W[w] *= _sigmoid(delta_W[w])
            for w in range(LANES):
                dbias_W[w] += ddelta_W[w]
            for w in range(width):
                dx_out_W[w] = gradient_2W[0, w] * dt_W[w] + D_W[w] * dy_W[w]
                ddelta_out_W[w] = ddelta_W[w]

    for w in range(width):
        dD_D[first + w] = dD_W[w]
        dbias_D[first + w] = dbias_W[w]
    for w in range(width):
        for n in range(states):
            dA_DN[first + w, n] = adjoint_N3W[n, 2, w]


@njit(parallel=True, nogil=True, cache=True, **_OPTIONS)
def backward(
    x_BGLD: Any,
    delta_BGLD: Any,
    A_GDN: Any,
    B_BGLN: Any,
    C_BGLN: Any,
    D_GD: Any,
    bias_GD: Any,
    softplus: bool,
    order_GL: Any,
    starts_BGPKNW: Any,
    dy_BGLD: Any,
    dlast_BGDN: Any,
    dx_BGLD: Any,  # written, as all that follow; (B, G, L, D) even where x is shared
    ddelta_BGLD: Any,
    dA_BGDN: Any,
    dB_PBGLN: Any,  # one part a channel block, to be summed: tasks must not write to the same place
    dC_PBGLN: Any,
    dD_BGD: Any,
    dbias_BGD: Any,
) -> None:
    batch, routes, _, channels = delta_BGLD.shape
    blocks = (channels + LANES - 1) // LANES
    for task in prange(batch * routes * blocks):
        block = task % blocks
        g = task // blocks % routes
        b = task // (blocks * routes)
        _backward_block(
            x_BGLD[b, min(g, x_BGLD.shape[1] - 1)],
            delta_BGLD[b, g],
            A_GDN[g],
            B_BGLN[b, g],
            C_BGLN[b, g],
            D_GD[g],
            bias_GD[g],
            softplus,
            order_GL[min(g, order_GL.shape[0] - 1)],
            block * LANES,
            starts_BGPKNW[b, g, block],
            dy_BGLD[b, g],
            dlast_BGDN[b, g],
            dx_BGLD[b, g],
            ddelta_BGLD[b, g],
            dA_BGDN[b, g],
            dB_PBGLN[block, b, g],
            dC_PBGLN[block, b, g],
            dD_BGD[b, g],
            dbias_BGD[b, g],
        )
