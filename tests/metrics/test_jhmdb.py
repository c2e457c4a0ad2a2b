"""sub-JHMDB's PCK by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from posecli.data.footage import Footage, FootageFrame
from posecli.data.people import Person
from posecli.metrics.jhmdb import JhmdbPck, most_overlapping
from posecli.skeletons import COCO, JHMDB
from posecli.types import Poses, Tracks


def person(places, box=(0, 0, 60, 100), crowd=False):
    """Labelled where places name a joint."""
    keypoints, labelled = np.zeros((15, 2), np.float32), np.zeros(15, np.float32)
    for name, place in places.items():
        keypoints[JHMDB.index(name)], labelled[JHMDB.index(name)] = place, 1
    return Person(np.array(box, np.float32), keypoints, labelled, True, crowd)


def footage(*people_of_frames):
    frames = tuple(FootageFrame(Path(f"{i}.png"), f"{i}.png", i, True) for i in range(len(people_of_frames)))
    return Footage("clip", JHMDB, frames, dict(enumerate(people_of_frames)), {})


def poses(*people, skeleton=JHMDB):
    """People as (places, box)."""
    keypoints = np.full((len(people), len(skeleton), 2), np.nan, np.float32)
    for row, (places, _) in zip(keypoints, people, strict=True):
        for name, place in places.items():
            row[skeleton.index(name)] = place
    boxes = np.array([box for _, box in people], np.float32).reshape(-1, 4)
    count = len(people)
    tracks = Tracks(np.arange(1, count + 1), boxes, np.ones(count, np.float32))
    return Poses(0, 0.0, tracks, keypoints, np.ones(keypoints.shape[:2], np.float32))


def report(truth, found, skeleton=None):
    metric = JhmdbPck()
    metric.update(truth, found, skeleton)
    return metric.report()


BOX = (0, 0, 60, 100)  # the longer side is 100: within 20 pixels


def test_by_the_persons_size_and_by_the_torso():
    """Shoulder (0, 0) to hip (30, 40) is 50: within 10 pixels by the torso.

    Knee 12, 16 away: 20, near by size and not by torso. Wrist 20.1 away: neither. Head 6, 8 away: both.
    """
    truth = person(
        {
            "left_shoulder": (0, 0),
            "right_hip": (30, 40),
            "left_knee": (50, 50),
            "left_wrist": (9, 9),
            "head": (5, 5),
        }
    )
    found = {"left_shoulder": (0, 0), "right_hip": (30, 40), "left_knee": (62, 66), "left_wrist": (29.1, 9),
             "head": (11, 13)}  # fmt: skip
    result = report(footage([truth]), {0: poses((found, BOX))})
    by_size, by_torso = result["joints"], result["joints_torso"]
    assert (by_size["left_knee"], by_size["left_wrist"], by_size["head"]) == (100, 0, 100)
    assert (by_torso["left_knee"], by_torso["left_wrist"], by_torso["head"]) == (0, 0, 100)
    assert math.isnan(by_size["neck"])


def test_a_torso_under_a_pixel_is_replaced_by_the_predicted_one():
    """Labelled 0.9 long, predicted 50 long: within 10 pixels. With 1.0 labelled it is within 0.2."""
    for labelled, expected in ((0.9, 100), (1.0, 0)):
        truth = person({"left_shoulder": (0, 0), "right_hip": (labelled, 0), "head": (5, 5)})
        found = {"left_shoulder": (0, 0), "right_hip": (50, 0), "head": (14, 5)}
        assert report(footage([truth]), {0: poses((found, BOX))})["joints_torso"]["head"] == expected


def test_the_mean_is_over_thirteen_joints_and_neck_and_belly_have_no_column():
    """All right but the neck, the belly and the left ankle: 12 of 13, and half of the ankles."""
    truth = person(dict.fromkeys(JHMDB.keypoints, (50, 50)))
    found = {name: (50, 50) for name in JHMDB.keypoints if name not in ("neck", "belly", "left_ankle")}
    result = report(footage([truth]), {0: poses((found, BOX))})
    assert list(result["PCK"]) == ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Mean"]
    assert result["PCK"]["Ankle"] == 50
    assert result["PCK"]["Mean"] == pytest.approx(1200 / 13)
    assert result["joints"]["neck"] == 0


def test_joints_are_pooled_over_frames_and_sequences():
    head = person({"head": (5, 5)})
    near, far = poses(({"head": (5, 5)}, BOX)), poses(({"head": (50, 50)}, BOX))
    metric = JhmdbPck()
    metric.update(footage([head], [head]), {0: near, 1: far})
    metric.update(footage([head]), {0: near})
    assert metric.compute()["Head"] == pytest.approx(200 / 3)
    metric.reset()
    metric.update(footage([head]), {0: far})
    assert metric.compute()["Head"] == 0


def test_who_is_not_found_is_missed():
    head = person({"head": (5, 5)})
    elsewhere = poses(({"head": (5, 5)}, (200, 200, 300, 300)))
    assert report(footage([head]), {})["PCK"]["Head"] == 0
    assert report(footage([head]), {0: elsewhere})["PCK"]["Head"] == 0
    assert report(footage([head]), {0: poses()})["PCK"]["Head"] == 0


def test_each_person_gets_the_prediction_that_overlaps_most():
    """One-to-one, the best overlap first: the second person takes what the first leaves."""
    people = [person({}, (0, 0, 10, 10)), person({}, (5, 0, 15, 10)), person({}, (90, 90, 99, 99))]
    boxes = np.array([[5, 0, 15, 10], [0, 0, 10, 8]], np.float32)
    assert most_overlapping(people, boxes) == [1, 0, None]
    assert most_overlapping(people[:2], boxes[:1]) == [None, 0]
    assert most_overlapping([], boxes) == []


def test_crowds_do_not_count():
    result = report(footage([person({"head": (5, 5)}), person({"head": (5, 5)}, crowd=True)]),
                    {0: poses(({"head": (5, 5)}, BOX))})  # fmt: skip
    assert result["PCK"]["Head"] == 100


def test_cocos_joints_are_converted():
    """The limbs by their names; the head comes from nose and ears, and without ears it is missed."""
    truth = person({"left_wrist": (5, 5), "right_ankle": (50, 90), "head": (9, 9)})
    found = {"left_wrist": (5, 5), "right_ankle": (0, 0), "nose": (9, 9)}
    result = report(footage([truth]), {0: poses((found, BOX), skeleton=COCO)}, COCO)
    assert (result["joints"]["left_wrist"], result["joints"]["right_ankle"], result["joints"]["head"]) == (
        100,
        0,
        0,
    )
