"""Every backend that runs on a CPU against the plain loop: outputs and gradients."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor

from posecli.nn.scan import scan_routes, selective_scan
from tests.nn.scan.reference import sequential_routes, sequential_scan

# The float64 oracle agrees to rounding; the float32 kernels to that of a few hundred terms.
TOLERANCE = {"torch": 1e-11, "numba": 5e-6}
DTYPE = {"torch": torch.float64, "numba": torch.float32}
pytestmark = pytest.mark.parametrize("backend", ["torch", "numba"])


def scan_inputs(
    batch: int, channels: int, length: int, groups: int, states: int, softplus: bool = True
) -> dict[str, Tensor]:
    """Float32 numbers in float64, so that every backend starts from the same ones."""
    draw = torch.Generator().manual_seed(channels * length + groups)
    normal = lambda *shape: torch.randn(*shape, generator=draw).double()  # noqa: E731
    uniform = lambda *shape: torch.rand(*shape, generator=draw).double()  # noqa: E731
    return {
        "u": normal(batch, channels, length),
        "delta": 2 * normal(batch, channels, length) if softplus else uniform(batch, channels, length),
        "A": -3 * uniform(channels, states),
        "B": normal(batch, groups, states, length),
        "C": normal(batch, groups, states, length),
        "D": normal(channels),
        "z": normal(batch, channels, length),
        "delta_bias": normal(channels) if softplus else uniform(channels),
    }


def route_inputs(
    batch: int, routes: int, length: int, channels: int, states: int, shared: bool = True
) -> dict[str, Tensor]:
    scan = scan_inputs(batch, routes * channels, length, routes, states)
    split = lambda x: x.unflatten(1, (routes, channels)).mT  # noqa: E731
    return {
        "x_BLD": split(scan["u"])[:, 0] if shared else split(scan["u"]),
        "delta_BGLD": split(scan["delta"]),
        "A_GDN": scan["A"].unflatten(0, (routes, channels)),
        "B_BGLN": scan["B"].mT,
        "C_BGLN": scan["C"].mT,
        "D_GD": scan["D"].unflatten(0, (routes, channels)),
        "delta_bias_GD": scan["delta_bias"].unflatten(0, (routes, channels)),
    }


def random_orders(routes: int, length: int) -> Tensor:
    draw = torch.Generator().manual_seed(length)
    return torch.stack([torch.randperm(length, generator=draw) for _ in range(routes)])


def leaves(inputs: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: x.detach().to(dtype).requires_grad_() for name, x in inputs.items()}


def assert_close(actual: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Within a share of the largest magnitude: sums that cancel have no relative accuracy of their own."""
    scale = expected.abs().max().clamp(min=1e-3)
    error = ((actual.double() - expected).abs().max() / scale).item()
    assert error < tolerance, f"{what}: off by {error:.1e}"


def compare(
    actual: tuple[Tensor, ...],
    actual_inputs: dict[str, Tensor],
    expected: tuple[Tensor, ...],
    expected_inputs: dict[str, Tensor],
    tolerance: float,
) -> None:
    """Outputs, and the gradients by every input of a random weighting of the outputs."""
    draw = torch.Generator().manual_seed(0)
    weights = [torch.randn(y.shape, generator=draw).double() for y in expected]
    sum((y * w.to(y.dtype)).sum() for y, w in zip(actual, weights, strict=True)).backward()  # type: ignore[union-attr]
    sum((y * w).sum() for y, w in zip(expected, weights, strict=True)).backward()  # type: ignore[union-attr]
    for number, (y, y_expected) in enumerate(zip(actual, expected, strict=True)):
        assert_close(y.detach(), y_expected.detach(), tolerance, f"output {number}")
    for name, x in expected_inputs.items():
        gradient = actual_inputs[name].grad
        assert gradient is not None
        assert x.grad is not None
        assert_close(gradient, x.grad, tolerance, f"gradient by {name}")


@pytest.mark.parametrize(
    ("batch", "channels", "length", "groups", "states"),
    [
        (2, 6, 1, 2, 4),  # a single step: no recurrence
        (2, 6, 7, 1, 3),  # one group, odd sizes
        (1, 6, 65, 2, 8),  # two chunks and a step
        (2, 12, 65, 3, 16),
        (1, 6, 130, 6, 1),  # a group for each channel, one state
        (1, 70, 33, 1, 5),  # three blocks of lanes, the last one partly filled
    ],
)
def test_selective_scan_equals_the_plain_loop(
    backend: str, batch: int, channels: int, length: int, groups: int, states: int
) -> None:
    inputs = scan_inputs(batch, channels, length, groups, states)
    ours, plain = leaves(inputs, DTYPE[backend]), leaves(inputs, torch.float64)
    actual = selective_scan(**ours, delta_softplus=True, return_last_state=True, backend=backend)
    expected = sequential_scan(*plain.values(), delta_softplus=True)
    compare(actual, ours, expected, plain, TOLERANCE[backend])


@pytest.mark.parametrize("softplus", [False, True])
@pytest.mark.parametrize("left_out", [("D",), ("z",), ("delta_bias",), ("D", "z", "delta_bias")])
def test_options_may_be_left_out(backend: str, softplus: bool, left_out: tuple[str, ...]) -> None:
    inputs = scan_inputs(1, 4, 35, 2, 4, softplus)
    ours, plain = leaves(inputs, DTYPE[backend]), leaves(inputs, torch.float64)
    for name in left_out:
        del ours[name], plain[name]
    y = selective_scan(**ours, delta_softplus=softplus, backend=backend)
    names = {"u": "u_BDL", "delta": "delta_BDL", "A": "A_DN", "B": "B_BGNL", "C": "C_BGNL"}
    names |= {"D": "D_D", "z": "z_BDL", "delta_bias": "delta_bias_D"}
    expected, _ = sequential_scan(**{names[name]: x for name, x in plain.items()}, delta_softplus=softplus)
    compare((y,), ours, (expected,), plain, TOLERANCE[backend])


def test_ungrouped_b_and_c_are_one_group(backend: str) -> None:
    inputs = scan_inputs(1, 4, 9, 1, 4)
    grouped = selective_scan(**inputs, backend=backend)
    inputs |= {"B": inputs["B"][:, 0], "C": inputs["C"][:, 0]}
    assert torch.equal(selective_scan(**inputs, backend=backend), grouped)


@pytest.mark.parametrize("shared", [False, True], ids=["x_of_each", "x_shared"])
@pytest.mark.parametrize("ordered", [False, True], ids=["identity", "permuted"])
@pytest.mark.parametrize(
    ("batch", "routes", "length", "channels", "states"),
    [(2, 3, 7, 5, 4), (1, 6, 33, 4, 16), (1, 2, 130, 34, 8)],
)
def test_routes_equal_the_plain_loop(
    backend: str,
    batch: int,
    routes: int,
    length: int,
    channels: int,
    states: int,
    ordered: bool,
    shared: bool,
) -> None:
    inputs = route_inputs(batch, routes, length, channels, states, shared)
    order_GL = random_orders(routes, length) if ordered else None
    ours, plain = leaves(inputs, DTYPE[backend]), leaves(inputs, torch.float64)
    y = scan_routes(**ours, delta_softplus=True, order_GL=order_GL, backend=backend)
    expected = sequential_routes(**plain, delta_softplus=True, order_GL=order_GL)
    compare((y,), ours, (expected,), plain, TOLERANCE[backend])


def test_routes_equal_the_stacked_groups_of_one_scan(backend: str) -> None:
    inputs = route_inputs(1, 3, 20, 4, 5)
    order_GL = random_orders(3, 20)
    y_BGLD = scan_routes(**inputs, delta_softplus=True, order_GL=order_GL, backend=backend)
    in_order = lambda x: torch.stack([x[:, g, order_GL[g]] for g in range(3)], 1)  # noqa: E731
    stacked = selective_scan(
        in_order(inputs["x_BLD"][:, None].expand(-1, 3, -1, -1)).mT.flatten(1, 2),
        in_order(inputs["delta_BGLD"]).mT.flatten(1, 2),
        inputs["A_GDN"].flatten(0, 1),
        in_order(inputs["B_BGLN"]).mT,
        in_order(inputs["C_BGLN"]).mT,
        inputs["D_GD"].flatten(),
        delta_bias=inputs["delta_bias_GD"].flatten(),
        delta_softplus=True,
        backend=backend,
    )
    assert isinstance(stacked, Tensor)
    torch.testing.assert_close(in_order(y_BGLD), stacked.unflatten(1, (3, 4)).mT, rtol=0, atol=1e-6)


def test_inputs_may_have_any_strides(backend: str) -> None:
    inputs = {name: x.to(DTYPE[backend]) for name, x in route_inputs(2, 3, 17, 5, 4).items()}
    order_GL = random_orders(3, 17)
    expected = scan_routes(**inputs, delta_softplus=True, order_GL=order_GL, backend=backend)
    # Every second row of something larger.
    strided = {
        name: x.mT.repeat_interleave(2, -1).mT[..., ::2, :] for name, x in inputs.items() if x.dim() > 2
    }
    assert not any(x.is_contiguous() for x in strided.values())
    y = scan_routes(
        **(inputs | strided), delta_softplus=True, order_GL=order_GL.T.contiguous().T, backend=backend
    )
    assert torch.equal(y, expected)


def test_without_gradients_the_result_is_the_same(backend: str) -> None:
    inputs = leaves(route_inputs(1, 2, 40, 3, 4), DTYPE[backend])
    with torch.no_grad():
        inference = scan_routes(**inputs, delta_softplus=True, backend=backend)
    training = scan_routes(**inputs, delta_softplus=True, backend=backend)
    assert training.requires_grad
    assert torch.equal(inference, training)


def test_a_long_memory_does_not_drift(backend: str) -> None:
    # A steady input and a decay of 1 - 1e-4 a step: the state is a geometric series with a closed form, which
    # an exponential that is biased by 1e-7 would miss by 1e-3.
    length, rate = 20_000, 1e-4
    ones = torch.ones(1, 1, length, dtype=DTYPE[backend])
    A = torch.full((1, 1), -rate, dtype=DTYPE[backend])
    _, state = selective_scan(ones, ones, A, ones, ones, return_last_state=True, backend=backend)
    decay = torch.exp(torch.tensor(-rate, dtype=torch.float64)).item()
    assert state.item() == pytest.approx((1 - decay**length) / (1 - decay), rel=2e-4)


@pytest.mark.parametrize("v", [-80.0, -10.0, -1e-3, 0.0, 1e-3, 3.0, 30.0, 90.0])
def test_softplus_is_accurate_at_every_size(backend: str, v: float) -> None:
    # One step from a zero state with B = C = u = 1: y is softplus(delta), its derivative the sigmoid.
    one = torch.ones(1, 1, 1, dtype=DTYPE[backend])
    delta = torch.full((1, 1, 1), v, dtype=DTYPE[backend], requires_grad=True)
    y = selective_scan(one, delta, -one[0], one, one, delta_softplus=True, backend=backend)
    y.sum().backward()
    exact = torch.tensor(v, dtype=torch.float64)
    assert y.item() == pytest.approx(torch.log1p(torch.exp(-exact.abs())).item() + max(v, 0.0), rel=1e-6)
    assert delta.grad is not None
    assert delta.grad.item() == pytest.approx(torch.sigmoid(exact).item(), rel=1e-6)


@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision_in_is_float32_inside(backend: str, autocast: bool) -> None:
    inputs = {name: x.bfloat16() for name, x in route_inputs(1, 2, 130, 4, 8).items()}
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        y = scan_routes(**inputs, delta_softplus=True, backend=backend)
    assert y.dtype == torch.bfloat16
    expected = sequential_routes(**{name: x.double() for name, x in inputs.items()}, delta_softplus=True)
    # Within the rounding of the result itself: half a unit in the last of 8 bits.
    torch.testing.assert_close(y.double(), expected, rtol=2**-8, atol=1e-5)


@pytest.mark.parametrize("poisoned", ["x_BLD", "delta_BGLD", "A_GDN"])
def test_nan_is_not_lost_and_stays_in_its_channel(backend: str, poisoned: str) -> None:
    inputs = {name: x.to(DTYPE[backend]) for name, x in route_inputs(1, 1, 12, 3, 2).items()}
    if poisoned == "A_GDN":
        inputs[poisoned][0, 1] = torch.nan
    else:
        inputs[poisoned][..., 4, 1] = torch.nan
    y_LD = scan_routes(**inputs, delta_softplus=True, backend=backend)[0, 0]
    assert y_LD[4:, 1].isnan().all()
    assert y_LD[:, [0, 2]].isfinite().all()


def test_several_threads_may_scan_at_once(backend: str) -> None:
    inputs = leaves(route_inputs(1, 2, 130, 40, 8), DTYPE[backend])
    expected = scan_routes(**inputs, delta_softplus=True, backend=backend)
    results: list[Tensor] = []

    def scan() -> None:
        for _ in range(5):
            y = scan_routes(**inputs, delta_softplus=True, backend=backend)
            torch.autograd.grad(y.sum(), inputs["x_BLD"])
            results.append(y)

    threads = [threading.Thread(target=scan) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 15
    assert all(torch.equal(y, expected) for y in results)
