"""The rows of the miniature ablations: which networks they are, and how they are told."""

import runpy
from pathlib import Path

import pytest

from posecli.nn.pose_model import PoseModel
from posecli.weights.presets import load_preset

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ablations.py"


@pytest.fixture(scope="module")
def bench():
    return runpy.run_path(str(SCRIPT))


def test_a_network_that_stands_in_two_tables_is_trained_once(bench):
    keys = [bench["row_key"](row) for row in bench["ROWS"]]
    assert keys.count("whole") == 2
    assert len(set(keys)) == len(keys) - 1


def test_rows_are_the_networks_that_they_say(bench):
    models = {
        row.name: PoseModel(load_preset(bench["MODEL"], row.overrides)).temporal for row in bench["ROWS"]
    }
    assert [len(model.lrm) for model in models.values()] == [0, 0, 1, 1, 1, 1, 1]
    assert [len(model.gsm) for model in models.values()] == [0, 2, 2, 2, 2, 2, 2]
    whole = models["(c) + GSM + LRM"]
    assert len(whole.gsm[0].scan.merges) == 2
    assert len(models["(a) unified"].gsm[0].scan.merges) == 0
    assert len(models["(d) without STMM"].gsm[0].scan.merges) == 0
    assert models["(d) without STMM"].gsm[0].scan.s6.config.routes == 6


def test_tables_have_mean_and_spread_over_seeds(bench):
    text = bench["tables"]({"whole": [50.0, 51.0, 54.0], "lrm_blocks-0": [40.0]})
    rows = [line for line in text.splitlines() if line.startswith("| (")]
    assert [row.split(" | ")[0] for row in rows] == [
        "| (b) + GSM",
        "| (c) + GSM + LRM",
        "| (c) unified + space-wise + time-wise",
    ]
    assert "| 51.67 | 2.08 | 50.00, 51.00, 54.00 | 86.9 |" in rows[1]
    assert "| 40.00 | - | 40.00 | 86.0 |" in rows[0]
