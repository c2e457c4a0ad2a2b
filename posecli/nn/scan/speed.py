"""Which of several backends is the fastest on this machine: a short run of each, once a process."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from posecli.nn.scan.registry import Backend

_ROUTES, _LENGTH, _CHANNELS, _STATES = 6, 4096, 64, 16  # a quarter of a clip of GLSMamba-T
_ROUNDS = 5


@cache
def fastest(backends: tuple[Backend, ...], device_type: str) -> Backend:
    """The backend whose best run of a few, forward and backward, is the shortest.

    Some tens of milliseconds, besides what a backend compiles at its first call.
    """
    with torch.inference_mode(False), torch.enable_grad():  # whatever the first scan of the process is in
        inputs = _inputs(device_type)
        seconds = [min(_seconds(backend, inputs) for _ in range(1 + _ROUNDS)) for backend in backends]
    return backends[seconds.index(min(seconds))]


def _inputs(device_type: str) -> list[Tensor]:
    """x, delta, A, B and C: their values don't matter."""
    stepwise = [(1, _ROUTES, _LENGTH, size) for size in (_CHANNELS, _CHANNELS, _STATES, _STATES)]
    x, delta, B, C = (torch.ones(shape, device=device_type, requires_grad=True) for shape in stepwise)
    A = torch.full((_ROUTES, _CHANNELS, _STATES), -1.0, device=device_type, requires_grad=True)
    return [x, delta, A, B, C]


def _seconds(backend: Backend, inputs: list[Tensor]) -> float:
    start = time.perf_counter()
    y_BGLD, _ = backend.scan_routes(*inputs, None, None, True, None)
    torch.autograd.grad(y_BGLD.sum(), inputs)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
