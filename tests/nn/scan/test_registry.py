"""Which backend a call gets, and what a user reads who asked for one that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.scan import backends, mamba_cuda, registry, resolve, selective_scan, triton_gpu


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("POSECLI_SCAN_BACKEND", raising=False)
    registry._why_unavailable.cache_clear()
    yield
    registry._why_unavailable.cache_clear()


def test_every_backend_is_listed_and_says_why_it_is_missing() -> None:
    status = {backend.name: backend for backend in backends()}
    assert list(status) == ["mamba_ssm", "triton", "numba", "torch"]
    assert status["torch"].available
    assert status["torch"].devices is None
    assert all(backend.available or backend.reason for backend in status.values())


@pytest.mark.parametrize(
    ("device", "dtype", "expected"),
    [
        ("cpu", torch.float32, "numba"),
        ("cpu", torch.bfloat16, "numba"),
        ("cpu", torch.float64, "torch"),  # the kernels are float32
        ("mps", torch.float32, "torch"),
    ],
)
def test_automatic_choice(device: str, dtype: torch.dtype, expected: str) -> None:
    assert resolve("auto", device, dtype).name == expected


@pytest.mark.parametrize(
    ("mamba_ssm", "triton", "expected"),
    [
        (None, "not compiled", "mamba_ssm"),
        ("not compiled", None, "triton"),
        ("not compiled", "not compiled", "torch"),
        (None, None, "the faster one"),
    ],
)
def test_automatic_choice_on_cuda(
    mamba_ssm: str | None, triton: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mamba_cuda, "why_unavailable", lambda: mamba_ssm)
    monkeypatch.setattr(triton_gpu, "why_unavailable", lambda: triton)

    def fastest(candidates: tuple[registry.Backend, ...], device_type: str) -> registry.Backend:
        assert [candidate.name for candidate in candidates] == ["mamba_ssm", "triton"]
        assert device_type == "cuda"
        return replace(candidates[0], name="the faster one")

    monkeypatch.setattr(registry, "fastest", fastest)
    assert resolve("auto", "cuda").name == expected
    assert resolve("auto", "cuda", torch.float64).name == "torch"


def test_the_variable_overrides_auto_but_not_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSECLI_SCAN_BACKEND", "torch")
    assert resolve("auto", "cpu").name == "torch"
    assert resolve("numba", "cpu").name == "numba"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PosecliError, match="'cuda'; there are auto, mamba_ssm, triton, numba, torch"):
        resolve("cuda", "cpu")


def test_a_named_backend_that_is_unavailable_gives_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mamba_cuda, "why_unavailable", lambda: "no kernel")
    x = torch.ones(1, 1, 1)
    with pytest.raises(PosecliError, match="mamba_ssm is unavailable: no kernel"):
        selective_scan(x, x, -x[0], x, x, backend="mamba_ssm")
    monkeypatch.setenv("POSECLI_SCAN_BACKEND", "mamba_ssm")
    with pytest.raises(PosecliError, match=r"POSECLI_SCAN_BACKEND=mamba_ssm: .*no kernel"):
        selective_scan(x, x, -x[0], x, x)


def test_a_named_backend_does_not_run_elsewhere() -> None:
    with pytest.raises(PosecliError, match="numba runs on cpu, not on cuda"):
        resolve("numba", "cuda")
