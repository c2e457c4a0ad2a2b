"""The Triton kernels against the plain loop: on a GPU where there is one, and in Triton's interpreter.

TRITON_INTERPRET is read when triton is imported, so the interpreter needs a process of its own: one test runs this
file in it. A chunk is made short there, so that few steps are many chunks: the interpreter takes milliseconds a
step.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from posecli.nn.scan import resolve, scan_routes, selective_scan, triton_gpu
from tests.nn.scan.reference import sequential_routes, sequential_scan
from tests.nn.scan.test_backends import assert_close, random_orders, route_inputs, scan_inputs

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
TOLERANCE = 5e-6 if INTERPRETED else 5e-5  # the exponential of a GPU is an approximation
needs_kernels = pytest.mark.skipif(
    not INTERPRETED and not torch.cuda.is_available(),
    reason="there is no GPU, and this is not the interpreter",
)


@pytest.mark.skipif(INTERPRETED, reason="this is it")
def test_in_the_interpreter() -> None:
    pytest.importorskip("triton")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", Path(__file__).name],
        cwd=Path(__file__).parent,
        env=os.environ | {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rounds of `carry` in some 20 steps."""
    from posecli.nn.scan import triton_kernels

    monkeypatch.setattr(triton_kernels, "CHUNK", 4)
    monkeypatch.setattr(triton_kernels, "CARRIED", 2)


def leaves(
    inputs: dict[str, Tensor], device: str = "cpu", dtype: torch.dtype | None = None
) -> dict[str, Tensor]:
    return {name: x.detach().to(device, dtype).requires_grad_() for name, x in inputs.items()}


def compare(
    actual: tuple[Tensor, ...],
    ours: dict[str, Tensor],
    expected: tuple[Tensor, ...],
    plain: dict[str, Tensor],
) -> None:
    """Outputs, and the gradients by every input of a random weighting of the outputs."""
    draw = torch.Generator().manual_seed(0)
    weights = [torch.randn(y.shape, generator=draw).double() for y in expected]
    gradients = torch.autograd.grad(
        [y.double() for y in actual], list(ours.values()), [w.to(DEVICE) for w in weights]
    )
    true_gradients = torch.autograd.grad(list(expected), list(plain.values()), weights)
    for number, (y, y_expected) in enumerate(zip(actual, expected, strict=True)):
        assert_close(y.detach().cpu(), y_expected.detach(), TOLERANCE, f"output {number}")
    for name, gradient, true_gradient in zip(plain, gradients, true_gradients, strict=True):
        assert gradient.dtype == ours[name].dtype
        assert_close(gradient.cpu(), true_gradient, TOLERANCE, f"gradient by {name}")


@needs_kernels
@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize(
    ("batch", "channels", "length", "groups", "states"),
    [
        (2, 4, 1, 2, 4),  # a single step: no recurrence
        (1, 6, 21, 2, 5),  # six chunks, the last of one step; states that are no power of two
        (1, 70, 6, 1, 16),  # three blocks of channels, the last one partly filled
        (2, 3, 8, 3, 1),  # whole chunks, one channel a group, one state
    ],
)
def test_selective_scan_equals_the_plain_loop(
    batch: int, channels: int, length: int, groups: int, states: int
) -> None:
    inputs = scan_inputs(batch, channels, length, groups, states)
    ours, plain = leaves(inputs, DEVICE, torch.float32), leaves(inputs)
    actual = selective_scan(**ours, delta_softplus=True, return_last_state=True, backend="triton")
    expected = sequential_scan(*plain.values(), delta_softplus=True)
    compare(tuple(actual), ours, expected, plain)


@needs_kernels
@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("softplus", [False, True])
@pytest.mark.parametrize("left_out", [("D",), ("delta_bias", "z")])
def test_options_may_be_left_out(softplus: bool, left_out: tuple[str, ...]) -> None:
    inputs = scan_inputs(1, 2, 9, 1, 2, softplus)
    ours, plain = leaves(inputs, DEVICE, torch.float32), leaves(inputs)
    for name in left_out:
        del ours[name], plain[name]
    y = selective_scan(**ours, delta_softplus=softplus, backend="triton")
    names = {"u": "u_BDL", "delta": "delta_BDL", "A": "A_DN", "B": "B_BGNL", "C": "C_BGNL"}
    names |= {"D": "D_D", "z": "z_BDL", "delta_bias": "delta_bias_D"}
    expected, _ = sequential_scan(**{names[name]: x for name, x in plain.items()}, delta_softplus=softplus)
    assert isinstance(y, Tensor)
    compare((y,), ours, (expected,), plain)


@needs_kernels
@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("ordered", [False, True], ids=["identity", "permuted"])
@pytest.mark.parametrize("shared", [False, True], ids=["x_of_each", "x_shared"])
def test_routes_equal_the_plain_loop(shared: bool, ordered: bool) -> None:
    inputs = route_inputs(2, 2, 6, 5, 4, shared)
    order_GL = random_orders(2, 6) if ordered else None
    ours, plain = leaves(inputs, DEVICE, torch.float32), leaves(inputs)
    y = scan_routes(
        **ours,
        delta_softplus=True,
        order_GL=None if order_GL is None else order_GL.to(DEVICE),
        backend="triton",
    )
    compare((y,), ours, (sequential_routes(**plain, delta_softplus=True, order_GL=order_GL),), plain)


@needs_kernels
def test_the_chunks_that_are_used_by_default() -> None:
    inputs = route_inputs(1, 2, 35, 3, 4)
    order_GL = random_orders(2, 35)
    ours, plain = leaves(inputs, DEVICE, torch.float32), leaves(inputs)
    y = scan_routes(**ours, delta_softplus=True, order_GL=order_GL.to(DEVICE), backend="triton")
    compare((y,), ours, (sequential_routes(**plain, delta_softplus=True, order_GL=order_GL),), plain)


@needs_kernels
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_types_are_float32_inside(dtype: torch.dtype) -> None:
    inputs = {name: x.to(dtype) for name, x in route_inputs(1, 2, 9, 3, 4).items()}
    ours, plain = leaves(inputs, DEVICE), leaves(inputs, dtype=torch.float64)
    y = scan_routes(**ours, delta_softplus=True, backend="triton")
    assert y.dtype == dtype
    expected = sequential_routes(**plain, delta_softplus=True)
    gradients = torch.autograd.grad(y.double().square().sum(), list(ours.values()))
    true_gradients = torch.autograd.grad(expected.square().sum(), list(plain.values()))
    # A result is rounded to its type, and then its rounding goes into the gradients.
    unit = max(torch.finfo(dtype).eps, 1e-6)
    torch.testing.assert_close(y.cpu().double(), expected, rtol=unit, atol=2 * unit)
    for name, gradient, true_gradient in zip(plain, gradients, true_gradients, strict=True):
        assert gradient.dtype == dtype
        assert_close(gradient.cpu(), true_gradient, 3 * unit, f"gradient by {name}")


@needs_kernels
@pytest.mark.parametrize("no_gradients", [torch.no_grad, torch.inference_mode])
def test_without_gradients_the_result_is_the_same(no_gradients: type[torch.no_grad]) -> None:
    inputs = leaves(route_inputs(1, 2, 9, 3, 4), DEVICE, torch.float32)
    with no_gradients():
        inference = scan_routes(**inputs, delta_softplus=True, backend="triton")
    training = scan_routes(**inputs, delta_softplus=True, backend="triton")
    assert training.requires_grad
    assert torch.equal(inference, training)


@needs_kernels
@pytest.mark.parametrize("v", [-40.0, -1e-3, 0.0, 3.0, 90.0])
def test_softplus_is_accurate_at_every_size(v: float) -> None:
    # One step from a zero state with B = C = u = 1: y is softplus(delta), its derivative the sigmoid.
    one = torch.ones(1, 1, 1, device=DEVICE)
    delta = torch.full((1, 1, 1), v, device=DEVICE, requires_grad=True)
    y = selective_scan(one, delta, -one[0], one, one, delta_softplus=True, backend="triton")
    assert isinstance(y, Tensor)
    (gradient,) = torch.autograd.grad(y.sum(), delta)
    exact = torch.tensor(v, dtype=torch.float64)
    tolerance = 1e-6 if INTERPRETED else 1e-5
    assert y.item() == pytest.approx(torch.log1p(torch.exp(-exact.abs())).item() + max(v, 0.0), rel=tolerance)
    assert gradient.item() == pytest.approx(torch.sigmoid(exact).item(), rel=tolerance)


@needs_kernels
@pytest.mark.usefixtures("short_chunks")
def test_nan_is_not_lost_and_stays_in_its_channel() -> None:
    inputs = {name: x.float().to(DEVICE) for name, x in route_inputs(1, 1, 12, 3, 2).items()}
    inputs["delta_BGLD"][..., 5, 1] = torch.nan
    y_LD = scan_routes(**inputs, delta_softplus=True, backend="triton")[0, 0]
    assert y_LD[5:, 1].isnan().all()
    assert y_LD[:5].isfinite().all()
    assert y_LD[:, [0, 2]].isfinite().all()


@needs_kernels
@pytest.mark.parametrize("empty", ["batch", "length"])
def test_nothing_to_scan(empty: str) -> None:
    inputs = {name: x.float().to(DEVICE) for name, x in route_inputs(2, 2, 3, 4, 5).items()}
    axis = {"batch": 0, "length": -2}[empty]
    inputs |= {name: x.narrow(axis, 0, 0) for name, x in inputs.items() if x.dim() > 2 and name != "A_GDN"}
    y = scan_routes(**inputs, delta_softplus=True, backend="triton")
    assert y.shape == inputs["delta_BGLD"].shape


@needs_kernels
@pytest.mark.usefixtures("short_chunks")
def test_the_test_of_a_gpu_accepts_right_kernels_whatever_mode_the_first_scan_is_in() -> None:
    with torch.inference_mode():
        assert triton_gpu._error_on(DEVICE, length=9) < 1e-5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="20,000 steps need a GPU")
def test_a_long_memory_does_not_drift() -> None:
    # A steady input and a decay of 1 - 1e-4 a step: the state is a geometric series with a closed form, which
    # an exponential that is biased by 1e-7 in every step would miss by 1e-3.
    length, rate = 20_000, 1e-4
    ones = torch.ones(1, 1, length, device="cuda")
    A = torch.full((1, 1), -rate, device="cuda")
    _, state = selective_scan(ones, ones, A, ones, ones, return_last_state=True, backend="triton")
    decay = torch.exp(torch.tensor(-rate, dtype=torch.float64)).item()
    assert state.item() == pytest.approx((1 - decay**length) / (1 - decay), rel=2e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_whole_clip_equals_the_torch_backend() -> None:
    inputs = leaves(route_inputs(1, 6, 3840, 64, 16), "cuda", torch.float32)
    order_GL = random_orders(6, 3840).cuda()
    results = []
    for backend in ("triton", "torch"):
        y = scan_routes(**inputs, delta_softplus=True, order_GL=order_GL, backend=backend)
        results.append((y.detach(), *torch.autograd.grad(y.square().sum(), list(inputs.values()))))
    for number, (ours, theirs) in enumerate(zip(*results, strict=True)):
        assert_close(ours, theirs.double(), 1e-4, f"result {number}")


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled in the interpreter")
def test_the_kernels_compile_for_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("triton")
    environment = os.environ | {"TRITON_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("compile_triton.py")
    run = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.split() == ["chunk_states", "carry", "outputs", "chunk_adjoints", "gradients"]


@pytest.mark.skipif(INTERPRETED, reason="the interpreter needs no GPU")
def test_why_unavailable_tells_the_causes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "CUDA device" in (triton_gpu.why_unavailable() or "")

    def fails(*arguments: object) -> float:
        raise RuntimeError("Failed to find C compiler")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(triton_gpu, "_kernels", lambda: None)
    monkeypatch.setattr(triton_gpu, "_error_on", lambda device: 1e-6)
    assert triton_gpu.why_unavailable() is None
    for error in (0.5, float("nan")):
        monkeypatch.setattr(triton_gpu, "_error_on", lambda device, error=error: error)
        assert "wrong numbers" in (triton_gpu.why_unavailable() or "")
    monkeypatch.setattr(triton_gpu, "_error_on", fails)
    assert "fail on this machine (Failed to find C compiler)" in (triton_gpu.why_unavailable() or "")
    monkeypatch.setattr(triton_gpu, "_kernels", fails)
    assert "does not import" in (triton_gpu.why_unavailable() or "")


@pytest.mark.skipif(not INTERPRETED, reason="is about the interpreter")
def test_the_interpreter_runs_on_a_cpu_but_only_where_it_is_asked_for() -> None:
    assert triton_gpu.why_unavailable() is None
    assert resolve("triton", "cpu").name == "triton"
    assert resolve("auto", "cpu").name == "numba"
