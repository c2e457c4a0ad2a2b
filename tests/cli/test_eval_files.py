"""posecli eval --metric: from files to figures on the screen, in JSON and in CSV."""

import csv
import json
import sys

import pytest
from rich.text import Text

from posecli.cli import main
from tests.metrics.scenes import Moment, Someone, write_both

FOUND = Someone({"nose": (100, 100, 0.9), "left_wrist": (1, 1, 0.5)}, 5)
MOMENT = Moment([Someone({"nose": (100, 100)})], [FOUND])  # the wrist is predicted and never labelled


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        """Exit code, lines on standard output, lines on standard error."""
        monkeypatch.setattr(sys, "argv", ["posecli", "eval", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code, captured.out.splitlines(), captured.err.splitlines()

    return call


@pytest.fixture
def folders(tmp_path):
    truth, found = write_both(tmp_path, "18", {"a": [MOMENT, MOMENT], "b": [MOMENT, MOMENT]})
    return "--gt", truth, "--pred", found


def test_figures_on_the_screen_and_in_files(run, folders, tmp_path):
    files = ("--json", tmp_path / "figures.json", "--csv", tmp_path / "figures.csv")
    code, lines, errors = run("--metric", "posetrack", *folders, *files)
    assert (code, errors) == (0, [])
    assert lines[0].split("\t") == [
        "figure",
        "Head",
        "Shoulder",
        "Elbow",
        "Wrist",
        "Hip",
        "Knee",
        "Ankle",
        "Mean",
    ]
    assert lines[1].split("\t") == ["AP", "33.33", "0.00", "0.00", "nan", "0.00", "0.00", "0.00", "7.14"]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["metric"] == "posetrack"
    assert figures["AP"]["Head"] == pytest.approx(100 / 3)
    assert figures["AP"]["Wrist"] is None
    assert len(figures["joints"]) == 15
    assert "MOTA" not in figures
    with (tmp_path / "figures.csv").open() as file:
        rows = {row["figure"]: row for row in csv.DictReader(file)}
    assert float(rows["AP"]["Mean"]) == figures["AP"]["Mean"]
    assert rows["AP"]["Wrist"] == rows["AP"]["nose"] == ""
    assert rows["joints"]["nose"] == "100.0"


@pytest.mark.parametrize("flag", ["--json", "--csv"])
def test_a_file_that_is_there_is_replaced_only_by_force(run, folders, tmp_path, flag):
    output = tmp_path / "figures"
    output.write_text("earlier")
    code, lines, errors = run("--metric", "posetrack", *folders, flag, output)
    assert (code, lines, len(errors)) == (1, [], 1)
    assert "exists: give --force" in errors[0]
    assert output.read_text() == "earlier"
    assert run("--metric", "posetrack", *folders, flag, output, "--force")[0] == 0
    assert output.read_text() != "earlier"


def test_mota_and_joints(run, folders, tmp_path):
    pytest.importorskip("motmetrics")
    code, lines, _ = run(
        "--metric", "posetrack", *folders, "--mota", "--joints", "--json", tmp_path / "f.json"
    )
    assert code == 0
    figures = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    assert figures["MOTA"][-1] == "100.00"
    assert figures["nose"] == ["100.00", "100.00"]  # AP and MOTA
    assert json.loads((tmp_path / "f.json").read_text())["MOTA"]["Mean"] == 100


def test_a_drawn_table_on_a_terminal(run, folders, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    code, lines, _ = run("--metric", "posetrack21", *folders)
    assert code == 0
    lines = [Text.from_ansi(line).plain for line in lines]
    text = "\n".join(lines)
    assert lines[0].strip() == "posetrack21"
    assert "\t" not in text
    assert "Shoulder" in text
    assert max(map(len, lines)) <= 80


def test_sequences_without_predictions(run, folders, tmp_path):
    (folders[3] / "b.json").unlink()
    code, lines, errors = run("--metric", "posetrack", *folders, "--json", tmp_path / "figures.json")
    assert (code, lines) == (1, [])
    (error,) = errors
    assert "b.json: there is no such file" in error
    assert not (tmp_path / "figures.json").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--metric", "posetrack"], "give --dataset, or --metric, --gt and --pred"),
        (["--metric", "oks", "--gt", ".", "--pred", ".", "--mota"], "--mota belongs to --metric posetrack"),
        (["--metric", "miou", "--gt", ".", "--pred", "."], "'miou' is not one of"),
        (["--metric", "posetrack", "--gt", ".", "--pred", ".", "--json", "."], ". is a folder"),
    ],
)
def test_wrong_usage(run, arguments, expected):
    code, lines, errors = run(*arguments)
    assert (code, lines) == (2, [])
    (error,) = errors
    assert expected in error


def test_the_files_that_are_read_are_not_written_over(run, folders):
    truth = folders[1] / "a.json"
    before = truth.read_text()
    code, _, _ = run("--metric", "posetrack", "--gt", truth, "--pred", truth, "--json", truth)
    assert code == 2
    assert truth.read_text() == before


def test_warnings_are_one_line(run, folders):
    found = folders[3] / "a.json"
    document = json.loads(found.read_text())
    document["images"].reverse()
    found.write_text(json.dumps(document))
    code, _, errors = run("--metric", "posetrack", *folders)
    assert code == 0
    (line,) = errors
    assert "a.json: its frames are in another order" in line
    assert run("--metric", "posetrack", *folders, "--quiet")[2] == []
