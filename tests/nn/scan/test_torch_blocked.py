"""What only the torch backend promises: derivatives to rounding, and bounded memory."""

from __future__ import annotations

import pytest
import torch

from posecli.nn.scan import scan_routes, torch_blocked
from tests.nn.scan.test_backends import leaves, random_orders, route_inputs


@pytest.mark.parametrize("segment_states", [2**23, 16], ids=["one_segment", "many_segments"])
def test_gradcheck(segment_states: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(torch_blocked._SEGMENT_STATES, "cpu", segment_states)
    inputs = leaves(route_inputs(1, 2, 3, 2, 2), torch.float64)
    order_GL = random_orders(2, 3)

    def scan(*tensors: torch.Tensor) -> torch.Tensor:
        return scan_routes(*tensors, delta_softplus=True, order_GL=order_GL, backend="torch")

    assert torch.autograd.gradcheck(scan, tuple(inputs.values()))


def test_segments_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = leaves(route_inputs(2, 3, 131, 4, 5), torch.float64)
    order_GL = random_orders(3, 131)
    whole = scan_routes(**inputs, delta_softplus=True, order_GL=order_GL, backend="torch")
    whole_gradients = torch.autograd.grad(whole.square().sum(), list(inputs.values()))
    monkeypatch.setitem(torch_blocked._SEGMENT_STATES, "cpu", 120 * 50)  # 50 steps a segment: three of them
    parts = scan_routes(**inputs, delta_softplus=True, order_GL=order_GL, backend="torch")
    part_gradients = torch.autograd.grad(parts.square().sum(), list(inputs.values()))
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(part_gradients, whole_gradients, rtol=1e-10, atol=1e-10)
