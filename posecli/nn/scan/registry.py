"""Which implementations of the scan there are, which of them run here, and which one a call gets.

A backend is a module of this package with
    DEVICES                            the torch device types it runs on, None for all;
    why_unavailable() -> str | None    the reason it cannot run on this machine, None if it can;
    scan_routes(...)                   as the public one, inputs checked and x always (B, 1 or G, L, D);
                                       returns y and the last state in the precision of the computation;
    selective_scan(...)                the same for the public one; only where a detour by scan_routes would
                                       cost copies.
To add one: write the module, and name it in _MODULES.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

import torch
from torch import Tensor

from posecli.errors import PosecliError
from posecli.nn.scan.speed import fastest

ENVIRONMENT_VARIABLE = "POSECLI_SCAN_BACKEND"

_MODULES = {
    "mamba_ssm": "posecli.nn.scan.mamba_cuda",
    "triton": "posecli.nn.scan.triton_gpu",
    "numba": "posecli.nn.scan.numba_cpu",
    "torch": "posecli.nn.scan.torch_blocked",
}
_COMPILED = {"cuda": ("mamba_ssm", "triton"), "cpu": ("numba",)}  # what "auto" chooses from, before torch


@dataclass(frozen=True, slots=True)
class Backend:
    """An implementation that runs on this machine."""

    name: str
    scan_routes: Callable[..., tuple[Tensor, Tensor]]
    selective_scan: Callable[..., tuple[Tensor, Tensor]] | None


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """What `backends` says of one implementation."""

    name: str
    devices: tuple[str, ...] | None  # torch device types; None for all
    reason: str | None  # why it is unavailable; None if it is available

    @property
    def available(self) -> bool:
        return self.reason is None


def backends() -> list[BackendStatus]:
    """Every backend, whether it runs on this machine, and why not."""
    return [BackendStatus(name, _module(name).DEVICES, _why_unavailable(name)) for name in _MODULES]


def resolve(backend: str, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Backend:
    """The backend that a call on tensors of this device and dtype gets.

    "auto" is what POSECLI_SCAN_BACKEND names, else on CUDA mamba_ssm or triton (where both work, the faster,
    see `speed`), numba on a CPU, torch anywhere (and for float64, which the others would compute in float32).
    Raises PosecliError, with the reason, for a backend that was named, here or in the variable, and is unknown
    or cannot run: there is no fallback behind a name.
    """
    device_type = torch.device(device).type
    if backend == "auto":
        named = os.environ.get(ENVIRONMENT_VARIABLE, "auto")
        if named != "auto":
            return _named(named, device_type, f"{ENVIRONMENT_VARIABLE}={named}: ")
        return _automatic(device_type, dtype)
    return _named(backend, device_type, "")


def _automatic(device_type: str, dtype: torch.dtype) -> Backend:
    names = () if dtype == torch.float64 else _COMPILED.get(device_type, ())
    candidates = tuple(_load(name) for name in names if _why_unavailable(name) is None)
    if len(candidates) > 1:
        return fastest(candidates, device_type)
    return candidates[0] if candidates else _load("torch")


def _named(name: str, device_type: str, context: str) -> Backend:
    if name not in _MODULES:
        raise PosecliError(
            f"{context}no scan backend is called {name!r}; there are auto, {', '.join(_MODULES)}"
        )
    reason = _why_unavailable(name)
    if reason is not None:
        raise PosecliError(f"{context}the scan backend {name} is unavailable: {reason}")
    devices = _module(name).DEVICES
    if devices is not None and device_type not in devices:
        raise PosecliError(
            f"{context}the scan backend {name} runs on {', '.join(devices)}, not on {device_type}"
        )
    return _load(name)


def _module(name: str) -> ModuleType:
    return import_module(_MODULES[name])


@cache
def _why_unavailable(name: str) -> str | None:
    reason: str | None = _module(name).why_unavailable()
    return reason


@cache
def _load(name: str) -> Backend:
    module = _module(name)
    return Backend(name, module.scan_routes, getattr(module, "selective_scan", None))
