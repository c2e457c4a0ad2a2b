"""A detector that looks at every few frames only: everyone is on all frames, and nobody is forgotten sooner."""

import numpy as np
import pytest

from posecli.detect.tracking import TRACKER_NAMES, NoTracker, make_tracker
from posecli.pipeline.estimator import estimate
from posecli.pipeline.options import Options

from .test_estimator import Brightest, InOrder, OnLights, boxes_around, counted, picture

RATE = 25  # of the pictures of test_estimator


class Noted:
    """A tracker that remembers what it was asked."""

    def __init__(self, tracker):
        self.tracker, self.indices = tracker, []

    def update(self, boxes, frame):
        self.indices.append(frame.index)
        return self.tracker.update(boxes, frame)


def walk(length):
    """Two lights on straight lines, a frame's places in order of id."""
    return [[(1, (40.0 + i, 40.0 + i / 2)), (2, (130.0 - i, 85.0))] for i in range(length)]


@pytest.mark.parametrize("every_frame", [False, True])
@pytest.mark.parametrize("every", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [1, 2, 8, 30])
def test_everyone_is_where_they_are_on_every_frame(every, length, every_frame):
    lights = walk(length)
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    detector, tracker = OnLights(lights), Noted(InOrder(lights))
    poses = list(
        estimate(frames, detector, tracker, Brightest(every_frame), Options(chunk=3), detect_every=every)
    )
    looked_at = sorted({*range(0, length, every), length - 1})
    assert tracker.indices == looked_at
    assert sum(detector.batches) == len(looked_at)
    assert [p.frame_index for p in poses] == list(range(length))
    for pose, people in zip(poses, lights, strict=True):
        assert pose.tracks.ids.tolist() == [1, 2]
        boxes = boxes_around([xy for _, xy in people]).xyxy
        np.testing.assert_allclose(pose.tracks.xyxy, boxes, atol=1e-3)  # interpolation along a line is exact
        np.testing.assert_allclose(pose.keypoints[:, 0], [xy for _, xy in people], atol=0.25)


@pytest.mark.parametrize("every", [1, 2, 3, 4])
@pytest.mark.parametrize("name", [name for name in TRACKER_NAMES if name != "none"])
def test_nobody_is_forgotten_sooner(name, every):
    """Hidden for 0.8 s, which is less than a tracker's patience in seconds, whatever the number of looks."""
    lights = [[(1, (60.0, 60.0))] if not 20 <= i < 40 else [] for i in range(64)]
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    tracker = make_tracker(name, RATE / every)
    poses = list(estimate(frames, OnLights(lights), tracker, Brightest(True), Options(), detect_every=every))
    assert {i for pose in poses for i in pose.tracks.ids.tolist()} == {1}
    assert [len(pose) for pose in poses[:17]] == [1] * 17
    assert len(poses[30]) == 0
    assert [len(pose) for pose in poses[44:]] == [1] * 20


@pytest.mark.parametrize("every", [2, 4])
def test_pictures_alive_are_bounded(every):
    lights = [[(1, (60.0, 60.0))]] * 256
    alive = []
    frames = counted(200, lambda i: [(60.0, 60.0)], alive)
    options = Options(chunk=8)
    poses = estimate(frames, OnLights(lights), InOrder(lights), Brightest(True), options, detect_every=every)
    assert sum(1 for _ in poses) == 200
    assert max(alive[100:]) == max(alive[20:100])


def test_what_cannot_be():
    model, lights = Brightest(True), walk(3)
    with pytest.raises(ValueError, match="tracker"):
        estimate([], OnLights(lights), NoTracker(), model, Options(), detect_every=2)
