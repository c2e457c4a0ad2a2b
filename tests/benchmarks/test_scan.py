"""The scan's benchmark: its peers compute the scan, and its report says what ran, how fast, and what did not."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

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
    assert rows["torch", "forward"]["times_torch"] == 1
    assert rows["loop", "forward"]["scaled_from_length"] == 16
    assert rows["torch", "forward"]["scaled_from_length"] is None


def test_a_row_scales_the_loop_and_counts_state_updates() -> None:
    reference = scan.Row("numba", "forward", lambda: None, 100, wall_s=[2.0, 1.0, 4.0], cpu_s=[3.0, 3.0, 3.0])
    loop = scan.Row("loop", "forward", lambda: None, 10, wall_s=[1.0, 1.0, 1.5], cpu_s=[1.0, 1.0, 1.0])
    arguments = Namespace(batch=1, routes=2, length=100, channels=3, states=4, reference="numba")
    first, second = scan.summarise([reference, loop], arguments)
    assert (first["median_s"], first["best_s"], first["updates_per_s_best"]) == (2.0, 1.0, 2400.0)
    assert (second["median_s"], second["worst_s"], second["times_numba"]) == (10.0, 15.0, 5.0)
