"""The examples of docs/api.md, with the embedded networks."""

import re
import shutil
from itertools import islice
from pathlib import Path

import pytest

from posecli.formats import read_poses
from posecli.video.video_file import VideoFile
from posecli.weights.locate import embedded_weights

ROOT = Path(__file__).parent.parent
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the example clip, of which the first frames alone are read."""
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples/people.mp4", tmp_path / "examples")
    frames = VideoFile.frames
    monkeypatch.setattr(VideoFile, "frames", lambda self: islice(frames(self), 5))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(number, capsys):
    exec(compile(EXAMPLES[number], "docs/api.md", "exec"), {})
    return capsys.readouterr().out.splitlines()


@pytest.mark.skipif(
    not (embedded_weights("glsmamba-t") and embedded_weights("detector")), reason="no weights inside"
)
@pytest.mark.parametrize(
    ("number", "beginnings"),
    [
        (0, ["0 ", "1 ", "2 ", "3 ", "4 "]),
        (1, ["640 360 30", "["]),
        (2, ["0.0 ", "0.033", "0.066"]),
        (3, ["coco 5 glsmamba-t"]),
    ],
)
def test_examples_run(workplace, capsys, number, beginnings):
    lines = run(number, capsys)
    assert all(line.startswith(start) for line, start in zip(lines, beginnings, strict=False))
    assert len(lines) >= len(beginnings)
    if "poses.csv" in EXAMPLES[number]:
        assert len(read_poses(workplace / "poses.csv").frames) == 5


def test_these_are_all_examples():
    assert len(EXAMPLES) == 4
