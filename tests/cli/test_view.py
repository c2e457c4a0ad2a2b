"""posecli view, from a pose file to a page or to one line of error."""

from pathlib import Path

import numpy as np
import pytest

from posecli.formats import open_writer
from posecli.skeletons import COCO
from posecli.types import Poses, Tracks
from posecli.video import open_source


@pytest.fixture
def poses(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """poses.json, poses.csv and results.json of clip.mkv, in the current folder."""
    monkeypatch.chdir(tmp_path)
    formats = {
        "poses.json": None,
        "poses.csv": None,
        "results.json": "coco-results",
        "old.json": "posetrack17",
    }
    for name, format_name in formats.items():
        with (
            open_source(clip) as video,
            open_writer(name, format_name, video=video.info, skeleton=COCO, provenance={}) as writer,
        ):
            for frame in video.frames():
                tracks = Tracks(np.array([1]), np.float32([[20, 10, 50, 60]]), np.float32([0.9]))
                keypoints = np.full((1, len(COCO), 2), 30, np.float32)
                writer.write(
                    Poses(frame.index, frame.time_s, tracks, keypoints, np.full((1, len(COCO)), 0.5))
                )
    return tmp_path / "poses.json"


@pytest.mark.parametrize("name", ["poses.json", "poses.csv", "results.json", "old.json"])
def test_a_page_of_any_format(poses: Path, command, name: str) -> None:
    assert command("view", name, "--video", "clip.mkv", "-o", "page.html") == (0, [])
    assert f"<title>{name} " in Path("page.html").read_text("utf-8")


def test_the_page_stands_beside_the_poses(poses: Path, command) -> None:
    assert command("view", "poses.json") == (0, [])
    assert Path("poses.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("no.json", 1, "no.json cannot be read"),
        ("poses.json --video no.mp4", 1, "no.mp4"),
        ("poses.json -o poses.json --force", 2, "over the input"),
        ("poses.json -o text.html", 1, "give --force"),
        ("poses.json --video clip.mkv -o clip.mkv --force", 2, "over the input"),
        ("poses.json -o no/page.html", 1, "no does not exist"),
        ("poses.json --video clip.mkv --link", 2, "leave out --link"),
        ("poses.json --video clip.mkv --rotate 45", 2, "rotate"),
        ("poses.json --video clip.mkv --rotate 90", 1, "do not belong to"),
        ("poses.json --video poses.csv", 1, "poses.csv"),
    ],
)
def test_one_line_says_what_is_wrong(poses: Path, command, arguments: str, code: int, said: str) -> None:
    Path("text.html").write_text("mine")
    before = sorted(poses.parent.rglob("*"))
    found, lines = command("view", *arguments.split())
    assert (found, len(lines)) == (code, 1)
    assert said in lines[0]
    assert sorted(poses.parent.rglob("*")) == before
