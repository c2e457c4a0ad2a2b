"""The example of docs/evaluation.md is run, and its tables are complete."""

import re
from pathlib import Path

import pytest

from posecli.metrics.from_files import METRICS
from posecli.metrics.jhmdb import JhmdbPck
from posecli.metrics.posetrack import PoseTrackMetric
from tests.metrics.scenes import Moment, as_footage

TEXT = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
EXAMPLE = TEXT[TEXT.index("### An example") :]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The example's two files, in the current folder."""
    files = re.findall(r"```json\n(.*?)```", EXAMPLE, re.DOTALL)
    for side, text in zip(("truth", "found"), files, strict=True):
        (tmp_path / side).mkdir()
        (tmp_path / side / "clip.json").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_prints_what_it_says(folder, monkeypatch, capsys):
    from posecli.cli import main

    command, expected = re.search(r"```console\n\$ (posecli .*?)\n(.*?)```", EXAMPLE, re.DOTALL).groups()
    monkeypatch.setattr("sys.argv", command.split())
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out == expected


def test_the_python_example_prints_what_it_says(folder, capsys):
    code, expected = re.search(r"```python\n(.*?)```\s+prints `([^`]+)`", EXAMPLE, re.DOTALL).groups()
    exec(compile(code, "evaluation.md", "exec"), {})
    assert capsys.readouterr().out == f"{expected}\n"


def test_every_metric_and_every_figure_is_told():
    assert re.findall(r"^\| `(\w+)` \|", TEXT[: TEXT.index("##")], re.MULTILINE) == list(METRICS)
    pytest.importorskip("motmetrics")
    posetrack, pck = PoseTrackMetric(mota=True), JhmdbPck()
    pck.update(as_footage([Moment()]), {})
    table = EXAMPLE[EXAMPLE.index("| figure |") :]
    told = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert told == {*posetrack.report(), *pck.report(), "OKS"}
