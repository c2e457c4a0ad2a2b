"""The choice between backends by a short run, with stand-ins whose speed is a clock's that the test moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from posecli.nn.scan import speed
from posecli.nn.scan.registry import Backend
from posecli.nn.scan.torch_blocked import scan_routes as torch_scan


@pytest.mark.parametrize("inference", [False, True])
def test_the_fastest_run_counts_and_not_the_first(inference: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(speed, "_LENGTH", 4)

    def backend(name: str, durations: list[float]) -> Backend:
        remaining = iter(durations)

        def scan_routes(*inputs: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal now
            now += next(remaining)
            return torch_scan(*inputs)  # type: ignore[arg-type]

        return Backend(name, scan_routes, None)

    steady = backend("steady", [2.0] * 6)
    compiles_first = backend("compiles first", [60.0, 3.0, 1.0, 3.0, 3.0, 3.0])
    with torch.inference_mode(inference):  # of the first scan of a process
        assert speed.fastest((steady, compiles_first), "cpu") is compiles_first
