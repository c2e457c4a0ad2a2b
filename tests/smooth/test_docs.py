"""The examples of docs/smoothing.md run, and its table of parameters is the code's."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest
import typer.main

from posecli.cli import app
from posecli.formats import open_writer, read_poses
from posecli.skeletons import COCO
from posecli.smooth import FILTERS
from posecli.smooth.chain import DEFAULT_FILTERS
from posecli.types import VideoInfo
from tests.smooth.people import random_walk

DOCUMENT = Path(__file__).parents[2] / "docs" / "smoothing.md"
TEXT = DOCUMENT.read_text("utf-8")
EXAMPLES = re.findall(r"^posecli smooth (.+)$", TEXT, re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """With the files that the examples read."""
    monkeypatch.chdir(tmp_path)
    video = VideoInfo("clip.mp4", 640, 360, 25.0, "1/25", 20)
    for name, format in (("poses.json", "coco"), ("results.json", "coco-results")):
        with open_writer(name, format, video=video, skeleton=COCO, provenance={}) as writer:
            for frame in random_walk(20):
                writer.write(frame)
    return tmp_path


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_runs(folder, line):
    typer.main.get_command(app).main(["smooth", *shlex.split(line)], standalone_mode=False)
    output = re.search(r"-o (\S+)", line).group(1)
    assert len(read_poses(folder / output).frames) == 20


def test_the_example_in_python_runs(folder, capsys):
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1)
    exec(compile(code, str(DOCUMENT), "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 20


def test_estimate_takes_the_filters_of_its_example():
    (line,) = re.findall(r"^posecli estimate (.+)$", TEXT, re.M)
    command = typer.main.get_command(app).commands["estimate"]
    context = command.make_context("estimate", shlex.split(line))
    assert list(context.params["smooth"]) == ["hampel", "savitzky-golay"]


def test_the_table_of_parameters():
    told, name = {}, ""
    for first, parameter, default in re.findall(r"^\| (`[\w-]+`)? ?\| `(\w+)` \| ([\w.]+) \|", TEXT, re.M):
        name = first.strip("`") or name
        told[name, parameter] = default
    real = {
        (kind.name, field.name): str(field.default).lower()
        for kind in FILTERS.values()
        for field in dataclasses.fields(kind)
    }
    assert told == real


def test_the_default_is_the_documented_one():
    assert "Without\n`--filter` it is " + ", ".join(f"`{name}`" for name in DEFAULT_FILTERS) in TEXT
