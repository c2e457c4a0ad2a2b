"""What names mean: files, folders and patterns."""

from pathlib import Path

import pytest

from posecli.errors import PosecliError
from posecli.video.find import Found, find_sources, name_outputs


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "videos/b.mp4", "videos/a.MOV", "videos/sub/a.mp4", "videos/._a.mp4", "videos/notes.txt",
        "shots/1.png", "shots/2.png", "sets/one/1.jpg", "sets/two/deep/1.jpg", "mixed/1.png", "mixed/a.mp4",
        "same/a.mp4", "same/a.mov",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("videos/b.mp4", {"videos/b.mp4": "b"}),
        ("videos", {"videos/a.MOV": "a", "videos/b.mp4": "b", "videos/sub/a.mp4": "sub/a"}),
        ("videos/*.mp4", {"videos/b.mp4": "b"}),
        ("videos/**/*.mp4", {"videos/b.mp4": "b", "videos/sub/a.mp4": "a"}),
        ("shots", {"shots": "shots"}),
        ("shots/*.png", {"shots/*.png": "*"}),
        ("sets", {"sets/one": "one", "sets/two/deep": "two/deep"}),
        ("mixed", {"mixed": "mixed"}),
        ("empty", {"empty": "empty"}),
        ("missing.mp4", {"missing.mp4": "missing"}),
        ("rtsp://host/live", {"rtsp://host/live": "live"}),
    ],
)
def test_found(tree, named, found):
    assert {video.source: video.place.as_posix() for video in find_sources(named)} == found


def test_a_folder_of_both_means_what_is_wanted(tree):
    assert [video.source for video in find_sources("mixed", prefer_videos=True)] == ["mixed/a.mp4"]
    assert [video.source for video in find_sources("shots", prefer_videos=True)] == ["shots"]


def test_outputs_have_names_of_their_own(tree):
    assert name_outputs(find_sources("videos"), ".json") == {
        Path("a.json"): "videos/a.MOV",
        Path("b.json"): "videos/b.mp4",
        Path("sub/a.json"): "videos/sub/a.mp4",
    }
    assert {str(path) for path in name_outputs(find_sources("same"), ".csv")} == {"a.mov.csv", "a.mp4.csv"}
    with pytest.raises(PosecliError, match=r"both be written to a\.mp4\.json"):
        name_outputs([Found("x/a.mp4", Path("a")), Found("y/a.mp4", Path("a"))], ".json")
