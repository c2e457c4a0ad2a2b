import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples/make_posetrack.py"
COMMANDS = re.findall(
    r"^python examples/make_posetrack.py (.+)$", (ROOT / "docs/datasets.md").read_text("utf-8"), re.M
)


def start(monkeypatch, *arguments):
    """The script's exit code."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return ended.value.code


def test_a_dataset_of_the_size_asked_for(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    options = "--train 1 --val 0 --frames 2 --size 96x64 --workers 1"
    assert start(monkeypatch, out, *options.split()) == 0
    pictures = sorted(path.name for path in (out / "images/train/000001_mpii_train").iterdir())
    assert pictures == ["000000.jpg", "000001.jpg"]
    assert "000001_mpii_train" in capsys.readouterr().out


def test_a_full_folder_is_one_line_and_exit_code_1(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine").write_text("")
    assert start(monkeypatch, tmp_path, "--train", 1, "--val", 0) == 1
    error = capsys.readouterr().err
    assert "not an empty folder" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_documented_commands_are_understood(command, tmp_path, monkeypatch):
    """Up to the folder, which is full."""
    (tmp_path / "mine").write_text("")
    _, *options = command.split()
    assert start(monkeypatch, tmp_path, *options) == 1


def test_there_are_documented_commands():
    assert len(COMMANDS) == 2


def test_a_size_that_is_none_is_wrong_usage(tmp_path, monkeypatch, capsys):
    assert start(monkeypatch, tmp_path / "out", "--size", "320") == 2
    assert "--size" in capsys.readouterr().err
