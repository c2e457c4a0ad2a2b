"""The mapping onto mamba-ssm's kernel, with a stand-in for it: the kernel itself needs a GPU."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor

from posecli.nn.scan import mamba_cuda, selective_scan
from tests.nn.scan.reference import sequential_routes, sequential_scan
from tests.nn.scan.test_backends import random_orders, route_inputs, scan_inputs


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`mamba_ssm.ops.selective_scan_interface` with the signature and the demands of the real one."""

    def selective_scan_fn(
        u: Tensor,
        delta: Tensor,
        A: Tensor,
        B: Tensor,
        C: Tensor,
        D: Tensor | None = None,
        z: Tensor | None = None,
        delta_bias: Tensor | None = None,
        delta_softplus: bool = False,
        return_last_state: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        assert A.dtype == torch.float32
        assert u.dtype == delta.dtype == B.dtype == C.dtype
        assert all(x.stride(-1) == 1 for x in (u, delta, B, C))
        return selective_scan(
            u, delta, A, B, C, D, z, delta_bias, delta_softplus, return_last_state, backend="torch"
        )

    interface = ModuleType("mamba_ssm.ops.selective_scan_interface")
    interface.selective_scan_fn = selective_scan_fn  # type: ignore[attr-defined]
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    return interface


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_routes_become_groups(ordered: bool, shared: bool) -> None:
    inputs = route_inputs(2, 3, 21, 4, 5, shared)
    order_GL = random_orders(3, 21) if ordered else None
    expected = sequential_routes(**inputs, delta_softplus=True, order_GL=order_GL)
    x_BGLD, *others = (x.float() for x in inputs.values())
    if shared:
        x_BGLD = x_BGLD[:, None]
    y_BGLD, state_BGDN = mamba_cuda.scan_routes(x_BGLD, *others, True, order_GL)
    torch.testing.assert_close(y_BGLD, expected.float(), rtol=1e-4, atol=1e-5)
    assert state_BGDN.shape == (2, 3, 4, 5)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_selective_scan_is_passed_on(dtype: torch.dtype) -> None:
    inputs = [x.to(dtype) for x in scan_inputs(2, 6, 21, 3, 4).values()]
    expected_y, expected_state = sequential_scan(*inputs, delta_softplus=True)
    y_BDL, state_BDN = mamba_cuda.selective_scan(*inputs, True)
    assert y_BDL.dtype == dtype
    torch.testing.assert_close(y_BDL, expected_y, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(state_BDN.double(), expected_state.double(), rtol=1e-4, atol=1e-5)


def test_why_unavailable_tells_the_three_causes_apart(
    kernel: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "CUDA device" in (mamba_cuda.why_unavailable() or "")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    on_cpu = torch.ones
    monkeypatch.setattr(torch, "ones", lambda *shape, device: on_cpu(*shape))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    assert mamba_cuda.why_unavailable() is None

    def broken(*inputs: Tensor) -> Tensor:
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(kernel, "selective_scan_fn", broken)
    assert "no kernel image" in (mamba_cuda.why_unavailable() or "")

    monkeypatch.setitem(sys.modules, kernel.__name__, None)
    assert "does not import" in (mamba_cuda.why_unavailable() or "")
