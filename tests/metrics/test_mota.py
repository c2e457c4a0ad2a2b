"""MOTA by hand, as `poseval -t` tells it."""

import math
import sys

import pytest

from posecli.errors import PosecliError
from posecli.metrics.posetrack import PoseTrackMetric
from posecli.metrics.posetrack_frames import UNKNOWN_TRACK
from posecli.skeletons import POSETRACK17
from tests.metrics.scenes import Moment, Someone, as_footage, as_poses

pytest.importorskip("motmetrics")

LAST = Moment(
    [Someone({"nose": (9, 9)})], [Someone({"nose": (500, 9, 0.5)})]
)  # of a sequence, and so left out


def nose(x, track=1, score=None):
    return Someone({"nose": (x, 9) if score is None else (x, 9, score)}, track)


def report(*sequences):
    metric = PoseTrackMetric(mota=True)
    for moments in sequences:
        metric.update(as_footage(moments), as_poses(moments))
    return metric.report()


def test_switches_misses_and_false_positives():
    """Found as 7; as 8: a switch; missed, with a false positive; found as 8 again: no switch. 4 noses.

    MOTA = 1 - (1 switch + 1 miss + 1 false positive) / 4. Nothing else is labelled: the mean is of the nose alone.
    """
    moments = [
        Moment([nose(9)], [nose(10, 7, 0.9)]),
        Moment([nose(9)], [nose(10, 8, 0.9)]),
        Moment([nose(9)], [nose(300, 8, 0.9)]),
        Moment([nose(9)], [nose(10, 8, 0.9)]),
    ]
    result = report([*moments, LAST])
    assert result["MOTA_joints"]["nose"] == 25
    assert math.isnan(result["MOTA_joints"]["left_hip"])
    assert result["MOTA"]["Mean"] == 25
    assert math.isnan(result["MOTA"]["Head"])  # of three joints, two of which are never labelled
    assert result["MOT_precision"] == {"Mean": 75}
    assert result["MOT_recall"] == {"Mean": 75}


def test_the_last_frame_of_each_sequence_is_left_out():
    """Two sequences of a right and a wrong frame: only the right ones count. Of a single frame nothing is left."""
    right, wrong = Moment([nose(9)], [nose(9, 5, 0.9)]), Moment([nose(9)], [nose(99, 5, 0.9)])
    assert report([right, wrong], [right, wrong])["MOTA"]["Mean"] == 100
    assert report([right, wrong, wrong])["MOTA"]["Mean"] == -50 + 50  # 2 noses, a miss and a false positive
    assert math.isnan(report([right])["MOTA"]["Mean"])


def test_the_last_frame_is_the_last_that_counts():
    """Pictures without labels are gone before."""
    right, wrong = Moment([nose(9)], [nose(9, 5, 0.9)]), Moment([nose(9)], [nose(99, 5, 0.9)])
    assert report([right, wrong, Moment(), Moment()])["MOTA"]["Mean"] == 100


def test_identities_start_anew_with_each_sequence():
    right = Moment([nose(9)], [nose(9, 5, 0.9)])
    other = Moment([nose(9)], [nose(9, 6, 0.9)])
    assert report([right, right, LAST], [other, other, LAST])["MOTA"]["Mean"] == 100
    assert report([right, right, other, other, LAST])["MOTA"]["Mean"] == 75  # 4 noses, a switch


@pytest.mark.parametrize("lonely", [Moment([nose(9), nose(90, 2)]), Moment([nose(9)], [], [])])
def test_a_frame_that_lacks_one_side_is_one_miss_and_one_false_positive_of_every_joint(lonely):
    """However many people: nose: 1 right, 1 miss, 1 false positive of 2: 0. Other joints: 1 - 2 / 1."""
    result = report([Moment([nose(9)], [nose(9, 5, 0.9)]), lonely, LAST])
    assert result["MOTA_joints"]["nose"] == 0
    assert result["MOTA_joints"]["left_hip"] == -100
    assert result["MOTA"]["Mean"] == pytest.approx((0 - 14 * 100) / 15)


def test_a_frame_emptied_by_ignore_regions_lacks_ground_truth():
    """Two predictions there, and still one miss and one false positive."""
    square = [(0, 0), (100, 0), (100, 100), (0, 100)]
    emptied = Moment([nose(50)], [nose(500, 5, 0.9), nose(600, 6, 0.9)], [square])
    right = Moment([nose(200)], [nose(200, 5, 0.9)])
    assert report([right, emptied, LAST])["MOTA_joints"]["nose"] == 0


def test_a_joint_may_go_to_another_person_than_its_skeleton():
    """MOTA looks at each joint by itself: both noses are found, whoever they belong to."""
    a = Someone({"nose": (9, 9), "left_hip": (9, 99)}, 1)
    b = Someone({"nose": (90, 9)}, 2)
    found = [Someone({"nose": (90, 9, 0.9), "left_hip": (9, 99, 0.9)}, 3), Someone({"nose": (9, 9, 0.9)}, 4)]
    assert report([Moment([a, b], found), LAST])["MOTA_joints"]["nose"] == 100


def test_people_without_identities_are_refused():
    metric = PoseTrackMetric(mota=True)
    moments = [Moment([nose(9, UNKNOWN_TRACK)], [nose(9, 5, 0.9)])]
    with pytest.raises(PosecliError, match=r"clip: 0\.jpg: a labelled person without a track_id"):
        metric.update(as_footage(moments), as_poses(moments))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "motmetrics", None)
    with pytest.raises(PosecliError, match="pip install motmetrics"):
        PoseTrackMetric(mota=True)


def test_every_joint_has_a_figure():
    assert list(report([LAST])["MOTA_joints"]) == list(POSETRACK17.keypoints)
