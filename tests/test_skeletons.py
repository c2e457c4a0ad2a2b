"""Joint orders as their owners number them, flips that are flips, and conversions by name and by geometry."""

import numpy as np
import pytest

from posecli.skeletons import COCO, JHMDB, POSETRACK17, POSETRACK18, SKELETONS, Skeleton, convert

EVERY = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda skeleton: skeleton.name)


@pytest.mark.parametrize(
    ("skeleton", "numbers"),
    [
        # COCO's categories in person_keypoints_*.json, counted from 0
        (COCO, {0: "nose", 1: "left_eye", 4: "right_ear", 5: "left_shoulder", 10: "right_wrist",
                16: "right_ankle"}),
        (POSETRACK18, {0: "nose", 1: "head_bottom", 2: "head_top", 3: "left_ear", 5: "left_shoulder",
                       11: "left_hip", 16: "right_ankle"}),
        # the ids of PoseTrack 2017
        (POSETRACK17, {0: "right_ankle", 2: "right_hip", 3: "left_hip", 5: "left_ankle", 6: "right_wrist",
                       8: "right_shoulder", 9: "left_shoulder", 11: "left_wrist", 12: "head_bottom",
                       13: "nose", 14: "head_top"}),
        # the columns of JHMDB's pos_img, counted from 0
        (JHMDB, {0: "neck", 1: "belly", 2: "head", 3: "right_shoulder", 4: "left_shoulder", 5: "right_hip",
                 7: "right_elbow", 9: "right_knee", 11: "right_wrist", 13: "right_ankle", 14: "left_ankle"}),
    ],
)  # fmt: skip
def test_the_numbers_of_joints(skeleton: Skeleton, numbers: dict[int, str]) -> None:
    assert {number: skeleton.keypoints[number] for number in numbers} == numbers


def test_how_many_joints_there_are() -> None:
    assert [len(skeleton) for skeleton in (COCO, POSETRACK17, POSETRACK18, JHMDB)] == [17, 15, 17, 15]


@EVERY
def test_every_joint_is_there_once_with_a_sigma(skeleton: Skeleton) -> None:
    assert len(set(skeleton.keypoints)) == len(skeleton) == len(skeleton.sigmas)
    flipped = [skeleton.sigmas[i] for i in skeleton.flip]
    assert flipped == list(skeleton.sigmas)  # both sides are equally hard to place


@EVERY
def test_a_flip_undoes_itself_and_leaves_the_middle(skeleton: Skeleton) -> None:
    assert [skeleton.flip[i] for i in skeleton.flip] == list(range(len(skeleton)))
    for i, name in enumerate(skeleton.keypoints):
        partner = skeleton.keypoints[skeleton.flip[i]]
        assert (partner == name) == ("left" not in name and "right" not in name)


def test_the_flip_pairs_of_posetrack() -> None:
    assert POSETRACK18.flip == [0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@EVERY
def test_limbs_join_every_labelled_joint_and_mirror_themselves(skeleton: Skeleton) -> None:
    pairs = {frozenset(limb) for limb in skeleton.limb_indices}
    assert len(pairs) == len(skeleton.limbs)
    assert {frozenset(skeleton.flip[i] for i in pair) for pair in pairs} == pairs
    reached = {i for pair in pairs for i in pair}
    unlabelled = {3, 4} if skeleton is POSETRACK18 else set()  # PoseTrack's ears
    assert reached == set(range(len(skeleton))) - unlabelled


def test_the_limbs_of_coco() -> None:
    """The `skeleton` of the person category in COCO's annotation files, which counts from 1."""
    official = [
        (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10),
        (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
    ]  # fmt: skip
    assert {frozenset(pair) for pair in COCO.limb_indices} == {frozenset((a - 1, b - 1)) for a, b in official}


@EVERY
def test_no_conversion_changes_nothing(skeleton: Skeleton) -> None:
    rng = np.random.default_rng(0)
    points, scores = rng.random((3, len(skeleton), 2), np.float32), rng.random((3, len(skeleton)), np.float32)
    found_points, found_scores = convert(points, scores, skeleton, skeleton)
    np.testing.assert_array_equal(found_points, points)
    np.testing.assert_array_equal(found_scores, scores)


def test_the_two_posetracks_are_the_same_joints() -> None:
    rng = np.random.default_rng(0)
    points, scores = rng.random((3, 15, 2), np.float32), rng.random((3, 15), np.float32)
    there = convert(points, scores, POSETRACK17, POSETRACK18)
    assert np.isnan(there[0][:, 3:5]).all()
    assert np.isnan(there[1][:, 3:5]).all()
    back = convert(*there, POSETRACK18, POSETRACK17)
    np.testing.assert_array_equal(back[0], points)
    np.testing.assert_array_equal(back[1], scores)


def test_a_face_to_the_camera_gets_neck_and_head_top() -> None:
    """An upright head: shoulders at y = 100, nose at 60, ears at 55, all symmetric about x = 50."""
    points = np.full((1, 17, 2), np.nan, np.float32)
    scores = np.full((1, 17), 0.9, np.float32)
    for name, place in {"nose": (50, 60), "left_ear": (60, 55), "right_ear": (40, 55),
                        "left_shoulder": (80, 100), "right_shoulder": (20, 100)}.items():  # fmt: skip
        points[0, COCO.index(name)] = place
    scores[0, COCO.index("left_shoulder")] = 0.5
    scores[0, COCO.index("right_ear")] = 0.2
    found, confidence = convert(points, scores, COCO, POSETRACK18)
    neck, top = found[0, 1], found[0, 2]
    np.testing.assert_allclose(neck, (50, 90), atol=1e-4)  # a quarter of the way from (50, 100) to the nose
    # the face's centre is at (60 + 55 + 55) / 3 = 56.67, 33.33 above the neck; the top 0.9 of that further
    np.testing.assert_allclose(top, (50, 56.6667 - 30), atol=1e-3)
    np.testing.assert_array_equal(confidence[0, :3], np.float32([0.9, 0.5, 0.2]))


def test_what_is_missing_stays_missing() -> None:
    points = np.ones((1, 17, 2), np.float32)
    scores = np.ones((1, 17), np.float32)
    ear = COCO.index("left_ear")
    points[0, ear], scores[0, ear] = np.nan, np.nan
    found, confidence = convert(points, scores, COCO, POSETRACK17)
    assert np.isnan(found[0, POSETRACK17.index("head_top")]).all()
    assert np.isnan(confidence[0, POSETRACK17.index("head_top")])
    assert np.isfinite(np.delete(found[0], POSETRACK17.index("head_top"), axis=0)).all()
    to_coco, _ = convert(np.ones((1, 15, 2), np.float32), np.ones((1, 15), np.float32), POSETRACK17, COCO)
    assert np.isnan(to_coco[0, 1:5]).all()  # eyes and ears
    assert np.isfinite(to_coco[0, [0, *range(5, 17)]]).all()


def test_jhmdb_gets_the_middle_of_the_face_and_no_belly() -> None:
    points = np.zeros((1, 17, 2), np.float32)
    scores = np.full((1, 17), 0.9, np.float32)
    face = {"nose": (12, 30), "left_ear": (21, 27), "right_ear": (3, 30)}
    for name, place in face.items():
        points[0, COCO.index(name)] = place
    scores[0, COCO.index("left_ear")] = 0.4
    found, confidence = convert(points, scores, COCO, JHMDB)
    np.testing.assert_allclose(found[0, JHMDB.index("head")], [12, 29])
    assert confidence[0, JHMDB.index("head")] == np.float32(0.4)
    assert np.isnan(found[0, [JHMDB.index("neck"), JHMDB.index("belly")]]).all()
