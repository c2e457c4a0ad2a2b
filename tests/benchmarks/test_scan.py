"""The scan's benchmark: its peers compute the scan, and its report says what ran, how fast, and what did not."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import scan, scan_peers
from posecli.nn.scan import scan_routes

SIZES = Namespace(batch=2, routes=3, channels=4, states=5, device="cpu")


@pytest.mark.parametrize("peer", ["plain_loop", "mambapy_scan"])
@pytest.mark.parametrize("length", [8, 11])
def test_a_peer_computes_the_scan(peer: str, length: int) -> None:
    if peer == "mambapy_scan":
        pytest.importorskip("mambapy")
    inputs = scan.make_inputs(SIZES, length)
    expected = scan_routes(*inputs, backend="torch")
    torch.testing.assert_close(getattr(scan_peers, peer)(*inputs), expected, rtol=1e-4, atol=1e-5)


def test_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = ["--length", "64", "--loop-length", "16", "--channels", "4", "--states", "2", "--routes", "2"]
    output = tmp_path / "scan.json"
    monkeypatch.setattr(
        sys, "argv", ["scan", *sizes, "--rounds", "2", "--reference", "torch", "-o", str(output)]
    )
    scan.main()
    report = json.loads(output.read_text())
    rows = {(row["backend"], row["direction"]): row for row in report["rows"]}
    assert {name for name, _ in rows} | set(report["skipped"]) == {
        "mamba_ssm", "triton", "numba", "torch", "mambapy", "loop",
    }  # fmt: skip
    assert "CUDA" in report["skipped"]["triton"] or torch.cuda.is_available()
    for direction in ("forward", "backward"):
        assert rows["torch", direction]["ratio"] == 1
        assert rows["torch", direction]["share"] == 1
        assert rows["loop", direction]["share"] == 0.25
        assert rows["torch", direction]["runs"] == 2


def test_backward_gives_the_gradients_of_one_pass_however_often_it_runs() -> None:
    small = ["--length", "16", "--loop-length", "16", "--channels", "4", "--states", "2", "--routes", "2"]
    torch_scan: scan.Scan = partial(scan_routes, backend="torch")
    kept: list[Any] = []

    def kept_scan(*inputs: Any) -> torch.Tensor:
        kept[:] = inputs
        return torch_scan(*inputs)

    _, backward = scan.make_things(scan.make_parser().parse_args(small), {"torch": kept_scan})
    for _ in range(2):
        backward.time_once()
    inputs = kept[: scan.SCAN_TENSORS]
    expected = torch.autograd.grad(torch_scan(*kept).sum(), inputs)
    for tensor, gradient in zip(inputs, expected, strict=True):
        torch.testing.assert_close(tensor.grad, gradient)


def test_state_updates_and_ratios_by_direction() -> None:
    rows = [
        {"backend": "numba", "direction": "forward", "ms": 2.0},
        {"backend": "numba", "direction": "backward", "ms": 4.0},
        {"backend": "loop", "direction": "backward", "ms": 100.0},
    ]
    arguments = Namespace(batch=1, routes=2, length=100, channels=3, states=4, reference="numba")
    first, second, third = scan.summarise(rows, arguments)
    assert (first["updates_per_s"], first["ratio"]) == (1_200_000, 1)
    assert (second["updates_per_s"], third["ratio"]) == (600_000, 25)
