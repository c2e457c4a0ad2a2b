"""posecli estimate on parts of videos: where the poses land, and who is kept."""

import io
import json

import numpy as np
import pytest

import posecli.detect
from posecli.formats import read_poses
from posecli.types import Boxes

from .conftest import write_video


class TwoPeople:
    """A small person throughout, and a large one on every second picture it is shown, beginning with the second."""

    name = "two people"

    def __init__(self):
        self.shown = 0

    def detect(self, images):
        found = []
        for _ in images:
            boxes = [[5, 5, 25, 45], [40, 5, 90, 60]][: 1 + self.shown % 2]
            found.append(Boxes(np.array(boxes, np.float32), np.full(len(boxes), 0.9, np.float32)))
            self.shown += 1
        return found

    def provenance(self):
        return {"name": self.name}


@pytest.fixture
def estimate(command, network):
    def call(*arguments):
        return command("estimate", *arguments, "--model", network.file, "--device", "cpu", "--threads", 1)

    return call


def test_frames_keep_their_numbers_and_times(estimate, clip, tmp_path):
    assert estimate(clip, "-o", tmp_path / "all.json") == (0, [])
    times = [frame.time_s for frame in read_poses(tmp_path / "all.json").frames]
    options = ("--start", "0.08", "--end", "0:00.28", "--stride", 2)
    assert estimate(clip, "-o", tmp_path / "part.json", *options) == (0, [])
    part = read_poses(tmp_path / "part.json")
    assert [frame.frame_index for frame in part.frames] == [2, 4, 6]
    assert [frame.time_s for frame in part.frames] == times[2:7:2]
    assert part.video.frame_rate == pytest.approx(12.5)
    assert {"start": 0.08, "end": 0.28, "stride": 2}.items() <= part.provenance.items()


@pytest.mark.parametrize("smooth", [(), ("--smooth", "median")])
def test_a_region_gives_coordinates_of_the_whole_picture(estimate, clip, tmp_path, smooth):
    assert estimate(clip, "-o", tmp_path / "all.json", *smooth) == (0, [])
    assert estimate(clip, "-o", tmp_path / "part.json", "--roi", "10,5,80,50", *smooth) == (0, [])
    whole, part = read_poses(tmp_path / "all.json"), read_poses(tmp_path / "part.json")
    assert (part.video.width, part.video.height) == (whole.video.width, whole.video.height)
    for a, b in zip(whole.frames, part.frames, strict=True):
        # The detector sees its box at the same place of every picture, so of the region 10 and 5 further on.
        np.testing.assert_allclose(b.tracks.xyxy, a.tracks.xyxy + np.array([10, 5, 10, 5]), atol=1e-4)
        np.testing.assert_allclose(b.keypoints, a.keypoints + np.array([10, 5]), atol=1e-4)
    raw = [
        np.array(annotation["keypoints_raw"]).reshape(-1, 3)[0, :2]
        for annotation in json.loads((tmp_path / "part.json").read_text())["annotations"]
        if smooth
    ]
    for point in raw:
        np.testing.assert_allclose(point, part.frames[0].keypoints[0, 0], atol=0.5)


def test_boxes_of_the_whole_are_those_of_the_part(estimate, clip, tmp_path):
    boxes = [{"frame_index": i, "bbox": [20 + i, 10, 30, 40], "score": 0.9} for i in range(8)]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    options = ("--boxes", tmp_path / "boxes.json", "--tracker", "none")
    part = ("--start", "0.12", "--stride", 3, "--roi", "10,5,80,50")
    assert estimate(clip, "-o", tmp_path / "part.json", *options, *part) == (0, [])
    frames = read_poses(tmp_path / "part.json").frames
    assert [frame.frame_index for frame in frames] == [3, 6]
    np.testing.assert_allclose(frames[1].tracks.xyxy, [[26, 10, 56, 50]], atol=1e-4)
    np.testing.assert_allclose(frames[1].keypoints[0, 0], [41, 30], atol=1)


@pytest.mark.parametrize(
    ("who", "lefts"),
    [("largest", {5, 40}), ("longest", {5}), ("1", {5}), ("77", set())],
)
def test_one_person_is_kept(estimate, clip, tmp_path, monkeypatch, who, lefts):
    monkeypatch.setattr(posecli.detect, "make_detector", lambda *_, **__: TwoPeople())
    assert estimate(clip, "-o", tmp_path / "poses.json", "--person", who) == (0, [])
    frames = read_poses(tmp_path / "poses.json").frames
    assert len(frames) == 8
    assert max(len(frame) for frame in frames) == bool(lefts)
    assert {round(float(left)) for frame in frames for left in frame.tracks.xyxy[:, 0]} == lefts


def test_a_list_on_standard_input(estimate, tmp_path, monkeypatch):
    paths = [write_video(tmp_path / name, 2) for name in ("a.mkv", "b b.mkv")]
    for number, separator in enumerate(("\n", "\0")):
        text = separator.join(map(str, paths)) + separator
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert estimate("-", "-o", tmp_path / f"poses{number}")[0] == 0
        assert sorted(path.name for path in (tmp_path / f"poses{number}").glob("*.json")) == [
            "a.json",
            "b b.json",
        ]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--start", "soon"), 2, "soon is no time"),
        (("--start", "2", "--end", "1"), 2, "--end must be after --start"),
        (("--start", "99"), 1, "has no frame from 99 s on"),
        (("--roi", "1,2,3"), 2, "X,Y,WIDTH,HEIGHT"),
        (("--roi", "500,0,10,10"), 1, "lies outside"),
        (("--person", "tallest"), 2, "largest, longest or a track's id"),
        (("--rotate", "45"), 2, "0, 90, 180 or 270 degrees, or auto"),
    ],
)
def test_mistakes_in_one_line(estimate, clip, tmp_path, options, code, says):
    found, lines = estimate(clip, "-o", tmp_path / "poses.json", *options)
    assert found == code
    assert len(lines) == 1
    assert says in lines[0]
    assert not list(tmp_path.glob("*poses*"))


def test_rotate_auto_is_what_the_file_says(estimate, clip, tmp_path):
    assert estimate(clip, "-o", tmp_path / "a.json", "--rotate", "auto") == (0, [])
    assert estimate(clip, "-o", tmp_path / "b.json", "--rotate", "90") == (0, [])
    assert read_poses(tmp_path / "a.json").video.width == read_poses(tmp_path / "b.json").video.height
