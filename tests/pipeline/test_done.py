"""What counts as done."""

import os

import pytest

from posecli.formats import open_writer
from posecli.pipeline.done import is_done, read_provenance
from posecli.skeletons import COCO
from posecli.types import Poses, VideoInfo

PROVENANCE = {"tool": "posecli", "source": "a.mp4", "model": {"name": "m", "sha256": "0"}, "rotate": 90}


def write(path, name=None, provenance=PROVENANCE):
    video = VideoInfo("a.mp4", 64, 48, 25.0, "1/25", 1)
    with open_writer(path, name, video=video, skeleton=COCO, provenance=provenance) as writer:
        writer.write(Poses.empty(0, 0.0, len(COCO)))
    return path


@pytest.mark.parametrize("name", ["coco", "coco-results", "posetrack17", "posetrack18", "csv", "csv-wide"])
def test_the_same_run_is_done_and_another_is_not(tmp_path, name):
    path = write(tmp_path / "poses.out", name)
    assert read_provenance(path).items() >= PROVENANCE.items()
    assert is_done(path, name, PROVENANCE, [])
    for changed in ({"rotate": 0}, {"model": {"name": "m", "sha256": "1"}}, {"new": None}):
        assert not is_done(path, name, PROVENANCE | changed, [])


@pytest.mark.parametrize("used", [{"flip": True}, {"smoothing": ["hampel"]}, {"person": "1"}])
def test_a_run_that_used_more_is_another(tmp_path, used):
    path = write(tmp_path / "a.json", provenance=PROVENANCE | used)
    assert is_done(path, "coco", PROVENANCE | used, [])
    assert not is_done(path, "coco", PROVENANCE, [])


def test_another_format_is_not_done(tmp_path):
    assert not is_done(write(tmp_path / "a.json"), "posetrack17", PROVENANCE, [])


def test_an_input_that_changed_since(tmp_path):
    (tmp_path / "video").touch()
    path = write(tmp_path / "a.json")
    os.utime(tmp_path / "video", (1, 1))
    assert is_done(path, "coco", PROVENANCE, [tmp_path / "video"])
    os.utime(path, (0, 0))
    assert not is_done(path, "coco", PROVENANCE, [tmp_path / "video"])


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"info":', b'{"info":[]}', b"\xff", b"frame,joint\n"])
def test_what_is_no_pose_file(tmp_path, content):
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    assert not is_done(tmp_path / "a.json", "coco", PROVENANCE, [])
