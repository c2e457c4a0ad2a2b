"""The scan on a CPU, by kernels that numba compiles."""

from __future__ import annotations

from torch import Tensor

DEVICES = ("cpu",)


def why_unavailable() -> str | None:
    return "not written yet"


def scan_routes(*inputs: Tensor) -> tuple[Tensor, Tensor]:
    raise NotImplementedError
