"""NanoDet's decoding by hand, and identities of a recording whose switches are known."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import switches
from posecli.data.clips import Clip
from posecli.data.people import Person
from posecli.teachers.nanodet import BINS, CLASSES, SIDE, STRIDES, NanoDet
from posecli.types import Poses, Recording, Tracks, VideoInfo

SURE = 50.0  # a logit that leaves nothing to the others


class OneBox:
    """A session whose every level is silent but the middle one, where one cell sees a person, and a neighbour less."""

    CELLS = ((10, 12, 0.9), (10, 13, 0.8))  # row, column, score
    SIDES = (1, 2, 3, 4)  # strides to the left, top, right, bottom

    def __init__(self, *_):
        pass

    def run(self, outputs, inputs):
        self.input = inputs["x"]
        answers = []
        for stride in STRIDES:
            side = SIDE // stride
            scores, distances = np.zeros((1, side * side, CLASSES)), np.zeros((1, side * side, 4 * BINS))
            for row, column, score in self.CELLS if stride == 16 else ():
                scores[0, row * side + column, 0] = score
                for edge, distance in enumerate(self.SIDES):
                    distances[0, row * side + column, edge * BINS + distance] = SURE
            scores[0, 0, 1] = 1.0  # a bicycle
            answers += [scores.astype(np.float32), distances.astype(np.float32)]
        return answers


@pytest.fixture
def nanodet(monkeypatch):
    monkeypatch.setattr("posecli.teachers.nanodet.open_onnx", OneBox)
    return NanoDet(Path("nanodet.onnx"), 0.05)


def test_a_box_lies_where_the_cell_says(nanodet):
    """A picture of twice the input's size, half as high as wide: a quarter of the input's height is grey above it."""
    image = np.full((SIDE, 2 * SIDE, 3), 200, np.uint8)
    boxes = nanodet.detect([image])[0]
    x, y = (12.5 * 16, 10.5 * 16)  # the cell's centre, pixels of the input
    box = np.array([x - 16, y - 2 * 16, x + 3 * 16, y + 4 * 16])
    expected = 2 * (box - [0, SIDE / 4, 0, SIDE / 4])
    # The neighbour, a cell further right, is the same person: both overlap by 3/4 to 5/4 of a width of four cells.
    assert boxes.scores.tolist() == pytest.approx([0.9])
    np.testing.assert_allclose(boxes.xyxy[0], np.clip(expected, 0, None), atol=1)
    grey, shown = nanodet._session.input[0, :, 10, 10], nanodet._session.input[0, :, SIDE // 2, 10]
    np.testing.assert_allclose(
        grey, [(114 - 103.53) / 57.375, (114 - 116.28) / 57.12, (114 - 123.675) / 58.395]
    )
    np.testing.assert_allclose(
        shown, [(200 - 103.53) / 57.375, (200 - 116.28) / 57.12, (200 - 123.675) / 58.395]
    )


BOXES = np.array([[0, 0, 10, 20], [50, 0, 60, 20]], np.float32)


def recording(ids_of_frames):
    poses = [
        Poses(i, i / 10, Tracks(np.array(ids), BOXES, np.ones(2, np.float32)),
              np.zeros((2, 17, 2), np.float32), np.zeros((2, 17), np.float32))
        for i, ids in enumerate(ids_of_frames)
    ]  # fmt: skip
    return Recording(VideoInfo("walk.mp4", 100, 50, 10.0, None, len(poses)), "coco", poses)


def two_people(frame_count):
    nothing = np.zeros((17, 2), np.float32)
    people = tuple(
        Person(box, nothing, nothing[:, 0], human=False, track_id=i + 1) for i, box in enumerate(BOXES)
    )
    return Clip(Path("walk.mp4"), dict.fromkeys(range(frame_count), people), frame_count)


def test_switches_a_minute(monkeypatch):
    """Both people change their ids once in 30 frames of three seconds: two switches, forty a minute."""
    swapped = [[1, 2]] * 10 + [[2, 1]] * 20
    monkeypatch.setattr(switches, "estimated", lambda video, model: recording(swapped))
    alone = Clip(Path("alone.mp4"), {0: two_people(1).people[0][:1]}, 1)
    rows = switches.measure_switches([two_people(30), alone], None)
    assert [row["clip"] for row in rows] == ["walk", "all"]
    for row in rows:
        assert (row["switches"], row["seconds"]) == (2, pytest.approx(3.0))
        assert row["switches_per_minute"] == pytest.approx(40)
        assert row["mota"] == pytest.approx(1 - 2 / 60)
