"""What the README tells people to type."""

import re
from itertools import islice
from pathlib import Path

import pytest

from posecli.video.video_file import VideoFile
from posecli.weights.locate import embedded_weights

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_first_screen_has_exactly_two_commands():
    first_screen = README.splitlines()[:20]
    assert [line for line in first_screen if line.startswith(("pip ", "posecli "))] == [
        "pip install . && posecli estimate examples/people.mp4 -o poses.json",
        'pip install -e ".[dev]" && pytest',
    ]


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.skipif(
    not (embedded_weights("glsmamba-t") and embedded_weights("detector")), reason="no weights inside"
)
def test_the_python_example_runs(monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    frames = VideoFile.frames
    monkeypatch.setattr(VideoFile, "frames", lambda self: islice(frames(self), 6))
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list("012345")
