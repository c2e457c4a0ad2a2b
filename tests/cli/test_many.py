"""posecli estimate over folders and patterns."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from posecli.formats import read_poses

from .conftest import write_video


@pytest.fixture
def estimate(command, network):
    def call(*arguments):
        return command("estimate", *arguments, "--model", network.file, "--device", "cpu")

    return call


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Two videos that are well, one that is not, and one below."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "videos"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.mkv", "c.mkv", "sub/d.mkv"):
        write_video(folder / name, 3)
    (folder / "b.mp4").write_text("not a video\n" * 50)
    return folder


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_one_that_is_broken_stops_no_other(estimate, videos):
    code, lines = estimate("videos/", "-o", "out/")
    assert code == 1
    assert lines[0].startswith("posecli: failed: videos/b.mp4: ")
    assert lines[1:] == ["posecli: 3 of 4 videos done, 1 failed"]
    assert files(videos.parent / "out") == ["a.json", "c.json", "sub/d.json"]
    assert len(read_poses("out/sub/d.json").frames) == 3


def test_what_is_done_is_skipped(estimate, network, videos):
    (videos / "b.mp4").unlink()
    assert estimate("videos", "-o", "out/") == (0, [])
    times = {path: path.stat().st_mtime_ns for path in (videos.parent / "out").rglob("*.json")}
    network.on_forward = lambda: pytest.fail("done already")
    assert estimate("videos", "-o", "out/") == (0, [])
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_only_what_is_new_or_changed_is_worked_out(estimate, videos):
    (videos / "b.mp4").unlink()
    assert estimate("videos", "-o", "out") == (0, [])
    write_video(videos / "e.mkv", 2)
    os.utime("out/c.json", (1, 1))  # older than its video
    code, lines = estimate("videos", "-o", "out")
    assert code == 1
    assert lines == [
        "posecli: failed: videos/c.mkv: out/c.json exists: give --force to replace it, or another name",
        "posecli: 1 of 4 videos done, 2 done already, 1 failed",
    ]
    assert estimate("videos", "-o", "out", "--force") == (0, [])
    assert Path("out/c.json").stat().st_mtime > 1


def test_other_options_replace_only_with_force(estimate, videos):
    (videos / "b.mp4").unlink()
    assert estimate("videos/a.mkv", "videos/c.mkv", "-o", "out") == (0, [])
    before = (videos.parent / "out/a.json").read_bytes()
    code, lines = estimate("videos/a.mkv", "videos/c.mkv", "-o", "out", "--tracker", "none")
    assert (code, len(lines)) == (1, 3)
    assert (videos.parent / "out/a.json").read_bytes() == before
    options = ("--tracker", "none", "--force")
    assert estimate("videos/a.mkv", "videos/c.mkv", "-o", "out", *options) == (0, [])
    assert read_poses("out/a.json").provenance["tracker"] == "none"


def test_the_same_bytes_as_one_at_a_time(estimate, videos):
    assert estimate("videos/*.mkv", "-o", "out/") == (0, [])
    for name in ("a", "c"):
        assert estimate(f"videos/{name}.mkv", "-o", f"{name}.json") == (0, [])
        assert Path(f"{name}.json").read_bytes() == Path(f"out/{name}.json").read_bytes()


def test_formats_and_folders_of_pictures(estimate, videos):
    for name in ("one", "two"):
        folder = videos.parent / "sets" / name
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "1.png"), np.zeros((64, 96, 3), np.uint8))
    assert estimate("sets", "-o", "out", "--format", "csv-wide") == (0, [])
    names = ["one.csv", "one.csv.info.json", "two.csv", "two.csv.info.json"]
    assert files(videos.parent / "out") == names
    assert estimate("sets", "-o", "out", "--format", "csv-wide") == (0, [])


def test_a_format_that_is_a_folder(estimate, network, videos):
    assert estimate("videos/a.mkv", "-o", "a/", "--format", "openpose") == (0, [])
    assert len(files(videos.parent / "a")) == 3
    assert estimate("videos/*.mkv", "-o", "out", "--format", "openpose") == (0, [])
    assert {path.split("/")[0] for path in files(videos.parent / "out") if "/" in path} == {"a", "c"}
    network.on_forward = lambda: pytest.fail("done already")
    assert estimate("videos/*.mkv", "-o", "out", "--format", "openpose") == (0, [])
    code, lines = estimate("videos/a.mkv", "-o", "a/", "--format", "openpose")
    assert (code, len(lines)) == (1, 1)
    assert "--force" in lines[0]


def test_one_video_into_a_folder(estimate, videos):
    assert estimate("videos/a.mkv", "-o", "new/") == (0, [])
    assert estimate("videos/c.mkv", "-o", "new") == (0, [])
    assert files(videos.parent / "new") == ["a.json", "c.json"]


def test_a_folder_with_one_video_into_a_file(estimate, videos):
    assert estimate("videos/sub", "-o", "d.json") == (0, [])
    assert len(read_poses("d.json").frames) == 3


def test_a_folder_that_cannot_be_made(estimate, videos):
    code, lines = estimate("videos/sub", "-o", "videos/b.mp4/out/")
    assert (code, len(lines)) == (1, 2)
    assert "videos/b.mp4/out cannot be made" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["videos", "-o", "poses.json"], 2, "holds 4 videos"),
        (["videos", "-o", "out/", "--boxes", "boxes.json"], 2, "--boxes is of one video"),
        (["videos", "-o", "out/", "--model", "no.safetensors"], 1, "no such file"),
        (["videos", "-o", "out/", "--device", "cuda:999"], 1, "cuda:999"),
        (["videos", "-o", "out/", "--rotate", "45"], 2, "180"),
        (["videos/a.mkv", "videos/a.mkv", "-o", "out/"], 1, "both be written to"),
    ],
)
def test_mistakes_that_concern_all(command, network, videos, arguments, code, said):
    options = [] if "--model" in arguments else ["--model", network.file]
    found, lines = command("estimate", *arguments, *options)
    assert found == code
    assert said in lines[0]
    assert not (videos.parent / "out").exists()
