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

Functions take W from an array's shape: loops of a short length that is known beforehand are unrolled before they can
be vectorised. numba's cache looks at this file alone: after a change in numba_vectors, touch this one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from posecli.nn.scan.numba_vectors import WIDTH, exp2, load, multiply, multiply_add, splat, store, total

LANES = 64  # a multiple of a vector's width: more of them hide the latency of the exponential's chain
CHUNK = 32

# Sums may be reordered and products fused; NaN and infinity keep their meaning, unlike under "fast". Divisions go
# unchecked: Python's check for zero would keep their loop from being vectorised.
_OPTIONS: Any = {"fastmath": {"contract", "reassoc", "nsz", "arcp"}, "error_model": "numpy"}
_LOG2_E = np.float32(1.4426950408889634)
_LN_2 = np.float32(0.6931471805599453)
_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@njit(**_OPTIONS)
def _softplus(v: Any) -> Any:
    """log(1 + exp(v)) = max(v, 0) + log1p(e), e = exp(-|v|); log1p(e) = 2 artanh(s), s = e / (2 + e)."""
    e = exp2(-abs(v) * _LOG2_E)
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
    e = exp2(-abs(v) * _LOG2_E)
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
    for w in range(len(dt_W)):
        delta_W[w] += bias_W[w]
    if softplus:
        for w in range(len(dt_W)):
            dt_W[w] = _softplus(delta_W[w])
    else:
        for w in range(len(dt_W)):
            dt_W[w] = delta_W[w]


@njit(**_OPTIONS)
def _copy(source_NW: Any, target_NW: Any) -> None:
    for n in range(source_NW.shape[0]):
        for w in range(source_NW.shape[1]):
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
    states, lanes = A_DN.shape[1], starts_KNW.shape[2]
    end = min(first + lanes, channels)
    width = end - first
    h_NW, rates_NW = np.zeros((states, lanes), np.float32), np.zeros((states, lanes), np.float32)
    rows = np.zeros((7, lanes), np.float32)
    x_W, delta_W, dt_W, input_W, y_W = rows[0], rows[1], rows[2], rows[3], rows[4]
    bias_W, D_W = rows[5], rows[6]
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
        for w in range(lanes):
            input_W[w] = dt_W[w] * x_W[w]
            y_W[w] = D_W[w] * x_W[w]
        for n in range(states):
            b, c = B_N[n], C_N[n]
            for w in range(lanes):
                h = exp2(rates_NW[n, w] * dt_W[w]) * h_NW[n, w] + input_W[w] * b
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
    lanes = rates_NW.shape[1]
    for t in range(len(tokens_T)):
        token = tokens_T[t]
        x_W, delta_W, dt_W, input_W = steps_T4W[t, 0], steps_T4W[t, 1], steps_T4W[t, 2], steps_T4W[t, 3]
        decay_NW, before_NW, after_NW, B_N = decay_TNW[t], h_TNW[t], h_TNW[t + 1], B_LN[token]
        _read_lanes(x_LD[token], first, end, x_W)
        _read_lanes(delta_LD[token], first, end, delta_W)
        _add_bias(delta_W, bias_W, softplus, dt_W)
        for w in range(lanes):
            input_W[w] = dt_W[w] * x_W[w]
        for n in range(len(B_N)):
            b = splat(B_N[n])
            for w in range(0, lanes, WIDTH):
                at = n * lanes + w
                decay = exp2(multiply(load(rates_NW, at), load(dt_W, w)))
                store(decay_NW, at, decay)
                store(after_NW, at, multiply_add(decay, load(before_NW, at), multiply(load(input_W, w), b)))


@njit(**_OPTIONS)
def _adjoint_step(
    rates_NW: Any,
    adjoint_NW: Any,  # the gradient by the state, updated
    dA_NW: Any,  # updated
    dt_W: Any,
    input_W: Any,
    dy_W: Any,
    B_N: Any,
    C_N: Any,
    before_NW: Any,
    decay_NW: Any,
    after_NW: Any,
    dinput_W: Any,  # the gradient by delta * x, added to
    ddecay_W: Any,  # the gradient by delta * log2(e) through the decay, added to
    dB_N: Any,
    dC_N: Any,
) -> None:
    lanes = rates_NW.shape[1]
    for n in range(len(B_N)):
        b, c = splat(B_N[n]), splat(C_N[n])
        dB, dC = splat(_ZERO), splat(_ZERO)
        for w in range(0, lanes, WIDTH):
            at = n * lanes + w
            dy, x = load(dy_W, w), load(input_W, w)
            g = multiply_add(dy, c, load(adjoint_NW, at))
            dC = multiply_add(dy, load(after_NW, at), dC)
            dB = multiply_add(x, g, dB)
            store(dinput_W, w, multiply_add(g, b, load(dinput_W, w)))
            g = multiply(g, load(decay_NW, at))
            store(adjoint_NW, at, g)
            q = multiply(g, load(before_NW, at))
            store(ddecay_W, w, multiply_add(q, load(rates_NW, at), load(ddecay_W, w)))
            store(dA_NW, at, multiply_add(q, load(dt_W, w), load(dA_NW, at)))
        dB_N[n], dC_N[n] = total(dB), total(dC)


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
    lanes = starts_KNW.shape[2]
    end = min(first + lanes, channels)
    width = end - first
    h_TNW = np.zeros((CHUNK + 1, states, lanes), np.float32)
    decay_TNW = np.zeros((CHUNK, states, lanes), np.float32)
    rates_NW, adjoint_NW = np.zeros((states, lanes), np.float32), np.zeros((states, lanes), np.float32)
    dA_NW = np.zeros((states, lanes), np.float32)
    steps_T4W = np.zeros((CHUNK, 4, lanes), np.float32)
    rows = np.zeros((8, lanes), np.float32)
    dy_W, ddelta_W, bias_W, D_W, dD_W, dbias_W = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    dinput_W, ddecay_W = rows[6], rows[7]
    _read_lanes(bias_D, first, end, bias_W)
    _read_lanes(D_D, first, end, D_W)
    _read_decay_rates(A_DN, rates_NW, first, width)
    for n in range(states):
        for w in range(width):
            adjoint_NW[n, w] = dlast_DN[first + w, n]

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
            for w in range(lanes):
                dinput_W[w] = _ZERO
                ddecay_W[w] = _ZERO
            _adjoint_step(
                rates_NW, adjoint_NW, dA_NW, dt_W, input_W, dy_W, B_LN[token], C_LN[token],
                h_TNW[t], decay_TNW[t], h_TNW[t + 1], dinput_W, ddecay_W, dB_LN[token], dC_LN[token],
            )  # fmt: skip
            # Loops of few arrays each: the compiler vectorises where it has to check few pairs for overlap.
            for w in range(lanes):
                ddelta_W[w] = ddecay_W[w] * _LN_2 + dinput_W[w] * x_W[w]
            for w in range(lanes):
                dD_W[w] += dy_W[w] * x_W[w]
            if softplus:
                for w in range(lanes):
                    ddelta_W[w] *= _sigmoid(delta_W[w])
            for w in range(lanes):
                dbias_W[w] += ddelta_W[w]
            for w in range(width):
                dx_out_W[w] = dinput_W[w] * dt_W[w] + D_W[w] * dy_W[w]
            for w in range(width):
                ddelta_out_W[w] = ddelta_W[w]

    for w in range(width):
        dD_D[first + w] = dD_W[w]
        dbias_D[first + w] = dbias_W[w]
    for w in range(width):
        for n in range(states):
            dA_DN[first + w, n] = dA_NW[n, w]


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
