"""The picture of what each scanning route answers to."""

import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from posecli.cli import app
from posecli.nn.pose_model import PoseModel
from posecli.weights.presets import load_preset

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "route_maps.py"


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(SCRIPT))


def small_model(**overrides) -> PoseModel:
    torch.manual_seed(0)
    return PoseModel(
        load_preset("glsmamba-t", {f"temporal.{name}": v for name, v in overrides.items()})
    ).eval()


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).integers(0, 255, (5, 256, 192, 3), dtype=np.uint8)


def test_a_lone_route_is_its_own_merge(example, crops):
    names, maps = example["route_maps"](small_model(routes=["time"], stmm=False), crops, -1)
    assert names == ["time", "merged"]
    assert maps.shape == (2, 5, 32, 24)
    np.testing.assert_allclose(maps[0], maps[1], rtol=1e-5)
    assert maps.std() > 0


def test_routes_differ(example, crops):
    names, maps = example["route_maps"](small_model(), crops, 0)
    assert names == ["unified", "space", "time", "merged"]
    for a in range(4):
        for b in range(a):
            assert not np.allclose(maps[a], maps[b], rtol=0.01)


def test_script_draws_a_sheet(tmp_path, monkeypatch):
    poses = tmp_path / "poses.json"
    clip = ROOT / "examples" / "people.mp4"
    result = CliRunner().invoke(app, ["estimate", str(clip), "-o", str(poses), "--threads", "1"])
    assert result.exit_code == 0, result.output
    sheet = tmp_path / "maps.png"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(clip), str(poses), "-o", str(sheet), "--frame", "1"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert cv2.imread(str(sheet)).shape == (24 + 5 * 256, 5 * 192, 3)
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--person", "99"])
    with pytest.raises(SystemExit, match="person 99 is not on frame 1"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
