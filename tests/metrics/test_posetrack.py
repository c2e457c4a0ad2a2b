"""poseval's arithmetic, worked out by hand, and an independent slow reference on random scenes.

A head rectangle of 30 x 40 pixels has a diagonal of 50, 0.6 of which is 30: a joint is right within 15 pixels.
"""

import math

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.metrics.posetrack import PoseTrackMetric
from posecli.metrics.posetrack_files import compared_sequences
from posecli.skeletons import COCO, POSETRACK17, POSETRACK18
from posecli.types import Poses, Tracks
from tests.metrics.posetrack_reference import ap_by_joint
from tests.metrics.scenes import Moment, Someone, as_footage, as_poses, write_both

SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]


def evaluate(root, form, sequences, variant="posetrack", mota=False):
    metric = PoseTrackMetric(variant, mota=mota)
    for frames in compared_sequences(*write_both(root, form, sequences)):
        metric.update_frames(frames)
    return metric.report()


@pytest.fixture(params=["17", "18"])
def joints_of(request, tmp_path):
    """AP of every joint, from files in either form."""

    def call(*moments, variant="posetrack"):
        return evaluate(tmp_path, request.param, {"clip": list(moments)}, variant)["joints"]

    return call


def nose(*place, **more):
    return Someone({"nose": place}, **more)


def test_a_joint_is_right_within_half_a_head_size(joints_of):
    """9, 12 pixels away is 15, exactly the limit; 9.1, 12 is beyond it."""
    truth = nose(100, 100)
    assert joints_of(Moment([truth], [nose(109, 112, 0.5)]))["nose"] == 100
    assert joints_of(Moment([truth], [nose(109.1, 112, 0.5)]))["nose"] == 0


def test_each_prediction_keeps_its_best_person_and_each_person_its_best_prediction(joints_of):
    """a has 2 joints, b has 3. p hits a's nose (1/2) and b's wrist (1/3), so it keeps a; q hits both of a's (2/2).

    a takes q. p has no person left, although b has none: both joints of p are wrong.
    nose: p wrong at 0.9, q right at 0.7, 2 labelled: precision 0, 1/2 at recall 0, 1/2: AP 1/4. The wrist is alike.
    ankle: labelled and never predicted: 0.
    """
    a = Someone({"nose": (100, 100), "left_wrist": (100, 200)})
    b = Someone({"nose": (300, 100), "left_wrist": (300, 200), "left_ankle": (300, 300)})
    p = Someone({"nose": (100, 100, 0.9), "left_wrist": (300, 200, 0.8)})
    q = Someone({"nose": (100, 110, 0.7), "left_wrist": (100, 200, 0.6)})
    joints = joints_of(Moment([a, b], [p, q]))
    assert (joints["nose"], joints["left_wrist"], joints["left_ankle"]) == (25, 25, 0)


def test_of_equal_people_the_first_is_kept(joints_of):
    """p hits 1 of 2 joints of each: whoever is first in the file gets it, and the other's joint is wrong."""
    a = Someone({"nose": (100, 100), "left_wrist": (0, 900)})
    b = Someone({"left_ankle": (300, 300), "left_wrist": (900, 900)})
    p = Someone({"nose": (100, 100, 0.9), "left_ankle": (300, 300, 0.9)})
    joints = joints_of(Moment([a, b], [p]))
    assert (joints["nose"], joints["left_ankle"]) == (100, 0)
    joints = joints_of(Moment([b, a], [p]))
    assert (joints["nose"], joints["left_ankle"]) == (0, 100)


def test_of_equal_predictions_the_first_is_kept_whatever_its_score(joints_of):
    """Both hit. First in the file is 0.5: the surer one is wrong: precision 0, 1/2 at recall 0, 1: AP 1/2."""
    truth = nose(100, 100)
    assert joints_of(Moment([truth], [nose(100, 100, 0.5), nose(101, 100, 0.9)]))["nose"] == 50
    assert joints_of(Moment([truth], [nose(101, 100, 0.9), nose(100, 100, 0.5)]))["nose"] == 100


def test_a_predicted_joint_without_a_label_is_wrong_even_in_a_matched_person(joints_of):
    """The wrist is labelled in the second picture only. 0.9 wrong, 0.4 right, 1 labelled: AP 1/2."""
    found = Someone({"nose": (100, 100, 0.9), "left_wrist": (50, 50, 0.9)})
    second = Moment([Someone({"left_wrist": (50, 50)})], [Someone({"left_wrist": (50, 50, 0.4)})])
    joints = joints_of(Moment([nose(100, 100)], [found]), second)
    assert (joints["nose"], joints["left_wrist"]) == (100, 50)


def test_pictures_without_people_are_left_out_with_their_predictions(joints_of):
    """The wrong one at 0.9 is on a picture that nobody labelled."""
    good = Moment([nose(100, 100)], [nose(100, 100, 0.5)])
    assert joints_of(Moment([], [nose(7, 7, 0.9)]), good)["nose"] == 100


def test_a_picture_emptied_by_ignore_regions_stays(joints_of):
    """The same, but somebody is labelled in an ignore region: wrong at 0.9, right at 0.5, so 1/2."""
    good = Moment([nose(100, 100)], [nose(100, 100, 0.5)])
    emptied = Moment([nose(50, 50)], [nose(700, 7, 0.9)], [SQUARE])
    assert joints_of(emptied, good)["nose"] == 50


def test_joints_inside_ignore_regions_are_left_out_on_both_sides_and_those_on_the_boundary_are_not(joints_of):
    """Inside: a labelled wrist that nobody predicts, and a predicted ankle that nobody labels. Neither counts.

    On the boundary: a labelled knee that nobody predicts. It counts: 0. Without the rest it were NaN or 0 as well, so
    the hip, right once inside and once outside, tells that what is outside stays.
    """
    truth = Someone(
        {"left_wrist": (50, 50), "left_knee": (100, 50), "left_hip": (200, 50), "nose": (300, 50)}
    )
    found = Someone({"left_ankle": (60, 60, 0.9), "left_hip": (200, 50, 0.9), "nose": (99, 99, 0.9)})
    again = Moment(
        [Someone({"left_knee": (5, 5), "nose": (5, 5), "left_wrist": (5, 5)})],
        [Someone({"left_knee": (5, 5, 0.5), "nose": (5, 5, 0.5), "left_wrist": (5, 5, 0.5)})],
    )
    joints = joints_of(Moment([truth], [found], [SQUARE]), again)
    assert joints["left_wrist"] == 100  # 1 of 1: the one inside is not missed
    assert joints["left_knee"] == 50  # 1 of 2: the one on the boundary is
    assert joints["left_ankle"] == 0  # neither labelled nor predicted
    assert joints["left_hip"] == 100
    assert joints["nose"] == 50  # 1 of 2; the wrong one inside is not counted


def test_a_share_counts_the_joints_outside_ignore_regions(joints_of):
    """p hits 1 of a's 3 and 1 of b's 2, but two of a's lie in the region: 1 of 1, so it keeps a."""
    a = Someone({"nose": (200, 200), "left_knee": (50, 50), "right_knee": (60, 60)})
    b = Someone({"left_ankle": (300, 300), "left_wrist": (900, 900)})
    p = Someone({"nose": (200, 200, 0.9), "left_ankle": (300, 300, 0.9)})
    joints = joints_of(Moment([a, b], [p], [SQUARE]))
    assert (joints["nose"], joints["left_ankle"]) == (100, 0)


def test_a_missing_score_is_the_lowest(joints_of):
    """Right without a score, wrong at 0.1, 2 labelled: precision 0, 1/2 at recall 0, 1/2: AP 1/4; else 1/2."""
    wrong = Moment([nose(100, 100)], [nose(500, 100, 0.1)])
    assert joints_of(Moment([nose(100, 100)], [nose(100, 100)]), wrong)["nose"] == 25
    assert joints_of(Moment([nose(100, 100)], [nose(100, 100, 0.2)]), wrong)["nose"] == 50


def test_never_labelled_joints(tmp_path):
    """Never labelled and never predicted counts 0; never labelled but predicted is NaN, and no part of the mean.

    Right: nose (100). NaN: left wrist. The other 13 are 0: the mean of 14 is 100 / 14.
    """
    found = Someone({"nose": (100, 100, 0.9), "left_wrist": (1, 1, 0.9)})
    report = evaluate(tmp_path, "17", {"clip": [Moment([nose(100, 100)], [found])]})
    assert report["AP"]["Head"] == pytest.approx(100 / 3)
    assert math.isnan(report["joints"]["left_wrist"])
    assert math.isnan(report["AP"]["Wrist"])
    assert report["AP"]["Ankle"] == 0
    assert report["AP"]["Mean"] == pytest.approx(100 / 14)


def test_columns_are_means_of_joints_and_the_mean_is_of_all_fifteen(tmp_path):
    """Head: head top, neck and nose, of which two are right. Shoulder: one of two. Mean: 3 of 15, not of 7 columns."""
    truth = Someone(dict.fromkeys(POSETRACK17.keypoints, (100, 100)))
    found = Someone(dict.fromkeys(("head_top", "nose", "left_shoulder"), (100, 100, 0.5)))
    report = evaluate(tmp_path, "18", {"clip": [Moment([truth], [found])]})
    assert list(report["AP"]) == ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Mean"]
    assert report["AP"]["Head"] == pytest.approx(200 / 3)
    assert report["AP"]["Shoulder"] == 50
    assert report["AP"]["Mean"] == pytest.approx(20)
    assert report["recall"]["Shoulder"] == 50


def test_equal_scores_come_in_the_order_of_numpys_reversed_argsort(joints_of):
    """One right and one wrong of equal score, 2 labelled. Wrong first: AP 1/4. Right first: 1/2."""
    right, wrong = Moment([nose(9, 9)], [nose(9, 9, 0.5)]), Moment([nose(9, 9)], [nose(99, 9, 0.5)])
    last_first = np.array([0.5, 0.5]).argsort()[::-1][0] == 1
    assert joints_of(right, wrong)["nose"] == (25 if last_first else 50)
    assert joints_of(wrong, right)["nose"] == (50 if last_first else 25)


def test_sequences_come_in_sorted_order_of_their_names(tmp_path):
    right, wrong = Moment([nose(9, 9)], [nose(9, 9, 0.5)]), Moment([nose(9, 9)], [nose(99, 9, 0.5)])
    last_first = np.array([0.5, 0.5]).argsort()[::-1][0] == 1
    report = evaluate(tmp_path, "17", {"b": [wrong], "a": [right]})
    assert report["joints"]["nose"] == (25 if last_first else 50)


def test_posetrack21_joints_need_positive_places(joints_of):
    """x = 0 is no joint there: neither missed on the left nor wrong on the right. For poseval both are joints."""
    moments = [Moment([nose(0, 50)]), Moment([nose(9, 9)], [nose(9, 9, 0.5)])]
    assert joints_of(*moments, variant="posetrack21")["nose"] == 100
    assert joints_of(*moments)["nose"] == 50
    moments = [Moment([Someone({"left_hip": (9, 9)})], [nose(50, -1, 0.9)]), moments[1]]
    assert joints_of(*moments, variant="posetrack21")["nose"] == 100
    assert joints_of(*moments)["nose"] == 50


def test_posetrack21_leaves_out_what_is_not_labelled_and_keeps_what_is_empty(joints_of):
    good = Moment([nose(9, 9)], [nose(9, 9, 0.5)], labelled=True)
    wrong = [nose(500, 9, 0.9)]
    assert joints_of(good, Moment([nose(9, 9)], wrong, labelled=False), variant="posetrack21")["nose"] == 100
    assert joints_of(good, Moment([], wrong, labelled=True), variant="posetrack21")["nose"] == 50
    assert joints_of(good, Moment([], wrong, labelled=True))["nose"] == 100


def test_posetrack21_has_no_nan(joints_of):
    moment = Moment([nose(9, 9)], [Someone({"left_wrist": (9, 9, 0.9)})])
    assert joints_of(moment, variant="posetrack21")["left_wrist"] == 0
    assert math.isnan(joints_of(moment)["left_wrist"])


def random_sequences(seed):
    """Crowded little scenes: whole numbers, few scores and rectangles to ignore, so that every kind of tie comes up."""
    rng = np.random.default_rng(seed)

    def someone(base, spread, scored):
        joints = {}
        for name, (x, y) in zip(POSETRACK17.keypoints, base, strict=True):
            if rng.random() < 0.6:
                place = int(x + rng.integers(-spread, spread + 1)), int(y + rng.integers(-spread, spread + 1))
                score = float(rng.integers(0, 6) / 10) if rng.random() < 0.9 else None
                joints[name] = (*place, score) if scored else place
        size = int(rng.integers(1, 4))
        return Someone(joints, int(rng.integers(1, 5)), (0, 0, 30 * size, 40 * size))

    def moment():
        bases = rng.integers(20, 200, (rng.integers(0, 4), len(POSETRACK17), 2))
        truth = [person for base in bases if (person := someone(base, 0, False)).joints]
        found = [someone(base, 25, True) for base in [*bases, *bases] if rng.random() < 0.7]
        x, y = rng.integers(10, 150, 2).tolist()
        box = [(x, y), (x + 40, y), (x + 40, y + 60), (x, y + 60)]
        return Moment(truth, [p for p in found if p.joints], [box] if rng.random() < 0.5 else [])

    return {f"{number:02d}": [moment() for _ in range(8)] for number in rng.permutation(4).tolist()}


@pytest.mark.parametrize("seed", range(8))
def test_random_scenes_equal_the_reference_in_both_forms_and_as_footage(tmp_path, seed):
    sequences = random_sequences(seed)
    expected = ap_by_joint(sequences)
    metric = PoseTrackMetric()
    for _, moments in sorted(sequences.items()):
        metric.update(as_footage(moments), as_poses(moments))
    assert 1 < np.nanmean(list(expected.values())) < 99
    for joints in (
        evaluate(tmp_path, "17", sequences)["joints"],
        evaluate(tmp_path, "18", sequences)["joints"],
        metric.report()["joints"],
    ):
        assert joints == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_a_joints_score_is_its_keypoints_times_its_boxs():
    """0.9 in a box of 0.5 comes after 0.6 in a box of 1: right first, so AP 1/2 of 2 labelled; else 1/4."""
    footage = as_footage([Moment([nose(9, 9)]), Moment([nose(9, 9)])])
    poses = as_poses([Moment(found=[nose(9, 9, 0.6)]), Moment(found=[nose(500, 9, 0.9)])])
    poses[1].tracks.scores[:] = 0.5
    metric = PoseTrackMetric()
    metric.update(footage, poses)
    assert metric.report()["joints"]["nose"] == 50
    poses[1].tracks.scores[:] = 1
    metric.reset()
    metric.update(footage, poses)
    assert metric.report()["joints"]["nose"] == 25


def test_predictions_with_cocos_joints_are_converted():
    """Eleven joints under other places; the neck and the head's top are derived, and are where the model puts them."""
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(50, 900, (1, len(COCO), 2)).astype(np.float32)
    shared = [name for name in POSETRACK17.keypoints if name in COCO.keypoints]
    truth = Someone({name: tuple(keypoints[0, COCO.index(name)].tolist()) for name in shared})
    poses = Poses(0, 0.0, Tracks(np.array([1]), np.zeros((1, 4), np.float32), np.ones(1, np.float32)), keypoints,
                  np.full((1, len(COCO)), 0.5, np.float32))  # fmt: skip
    metric = PoseTrackMetric()
    metric.update(as_footage([Moment([truth])]), {0: poses}, COCO)
    joints = metric.report()["joints"]
    assert {joints[name] for name in shared} == {100}
    assert math.isnan(joints["head_top"])  # predicted and never labelled


def test_reset_and_nothing_at_all():
    metric = PoseTrackMetric()
    metric.update(as_footage([Moment([nose(9, 9)])]), as_poses([Moment(found=[nose(9, 9, 1.0)])]))
    metric.reset()
    assert metric.compute()["Mean"] == 0
    metric.update(as_footage([Moment()]), {})
    assert set(metric.compute().values()) == {0}


def test_computing_twice_changes_nothing():
    metric = PoseTrackMetric()
    moments = random_sequences(3)["00"]
    metric.update(as_footage(moments), as_poses(moments))
    assert str(metric.report()) == str(metric.report())


def test_a_labelled_person_without_a_head_rectangle_is_refused():
    metric = PoseTrackMetric()
    with pytest.raises(PosecliError, match=r"clip: 0\.jpg: a labelled person without a head rectangle"):
        metric.update(as_footage([Moment([nose(9, 9, head=None)])]), {})


def test_a_head_of_no_size_is_never_hit(joints_of):
    assert joints_of(Moment([nose(9, 9, head=(5, 5, 5, 5))], [nose(9, 9, 0.5)]))["nose"] == 0


def test_both_skeletons_of_posetrack_give_the_same(tmp_path):
    moments = random_sequences(5)["01"]
    reports = []
    for skeleton in (POSETRACK17, POSETRACK18):
        metric = PoseTrackMetric(mota=False)
        metric.update(as_footage(moments, skeleton=skeleton), as_poses(moments, skeleton))
        reports.append(str(metric.report()))
    assert reports[0] == reports[1]
