"""docs/render.md: its commands and its Python run, on the first frames of the example clip."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from posecli.cli import app
from posecli.formats import open_writer
from posecli.skeletons import COCO
from posecli.types import Poses, Tracks
from posecli.video import VideoWriter, open_source

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/render.md").read_text("utf-8")
COMMANDS = re.findall(r"^posecli (render .+)$", TEXT, re.M)
FRAMES = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """people.mp4, four frames of it, and poses.json with one person in every frame."""
    folder = tmp_path_factory.mktemp("docs")
    with open_source(ROOT / "examples/people.mp4") as source:
        info, frames = source.info, [frame for frame, _ in zip(source.frames(), range(FRAMES), strict=False)]
    with VideoWriter(folder / "people.mp4", width=info.width, height=info.height, frame_rate=30) as video:
        for frame in frames:
            video.write(frame.image)
    tracks = Tracks(np.array([1]), np.float32([[100, 60, 200, 300]]), np.float32([0.9]))
    points = np.random.default_rng(0).uniform((100, 60), (200, 300), (1, 17, 2)).astype(np.float32)
    with open_writer(folder / "poses.json", video=info, skeleton=COCO, provenance={}) as poses:
        for index in range(FRAMES):
            poses.write(Poses(index, index / 30, tracks, points, np.full((1, 17), 0.8, np.float32)))
    return folder


def test_the_commands_run_in_turn(folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = set(folder.iterdir())
    outputs = set()
    for command in COMMANDS:
        words = shlex.split(command)
        CliRunner().invoke(app, words, catch_exceptions=False)
        output = Path(words[words.index("-o") + 1])
        outputs.add(folder / (output.parent if output.stem == "*" else output))
    assert outputs == set(folder.iterdir()) - before
    assert (
        len(list((folder / "frames").glob("*.png"))) == len(list((folder / "jpegs").glob("*.jpg"))) == FRAMES
    )


def test_the_python_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {}
    exec(compile(code, "docs/render.md", "exec"), names)
    assert names["picture"].shape == (360, 640, 3)
    assert names["picture"].any()


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
