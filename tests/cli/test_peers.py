"""docs/peers.md: every command of its tables parses, and those that need no more than a clip run."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from posecli.cli import main

from .test_docs import find

TEXT = (Path(__file__).parents[2] / "docs" / "peers.md").read_text("utf-8")
# In the page's order, each once: later ones read what earlier ones wrote.
COMMANDS = list(dict.fromkeys(re.findall(r"`posecli ([^`]+)` \|$", TEXT, re.M)))
# The self test and the training's help load the real networks or end by themselves: other tests run these.
NOT_RUN = ("doctor", "train --help", "models list")


def test_every_row_has_a_command():
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| feature")]
    rows = [line for line in rows if not line.startswith("| complaint")]
    assert len([line for line in rows if re.search(r"`posecli [^`]+` \|$", line)]) == len(rows) == 19 + 15
    assert [int(number) for number in re.findall(r"^\| (\d+)\. ", TEXT, re.M)] == list(range(1, 16))


@pytest.mark.parametrize("line", [line for line in COMMANDS if not line.endswith("--help")])
def test_it_parses(line):
    words = shlex.split(line)
    name = " ".join(words[:2]) if words[0] in ("models", "config") else words[0]
    find(name).make_context(name, words[len(name.split()) :])


def test_they_run_one_after_the_other(network, clip, tmp_path, monkeypatch, capsys):
    """On a clip, in an empty folder, with networks that cost nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "match.mp4").write_bytes(clip.read_bytes())
    for line in COMMANDS:
        if line in NOT_RUN:
            continue
        force = [] if line.startswith(("validate", "eval", "config")) else ["--force"]
        if "--resume" in line or "--dry-run" in line:
            force = []
        monkeypatch.setattr(sys, "argv", ["posecli", *shlex.split(line), *force])
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code in (0, None), f"{line}: {capsys.readouterr().err}"
    assert {path.name for path in tmp_path.iterdir()} >= {
        "poses.trc", "drawn.mp4", "times.csv", "wide.csv", "smooth.json", "poses.parquet", "page.html", "poses.csv"
    }  # fmt: skip
