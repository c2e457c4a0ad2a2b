"""What is hidden stays hidden: no fine detail is left of a head, whatever the joints of the face say."""

import numpy as np
import pytest

from posecli.draw.anonymize import EDGE, anonymize
from posecli.draw.heads import HOLD_S, Heads, head_oval
from posecli.skeletons import COCO, SKELETONS, convert
from posecli.types import Poses, Tracks

NOISE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
RATE = 20.0
BOX = np.float32([100, 20, 180, 220])
# A person 200 pixels high who looks at the camera; the head reaches from y = 22 to 48 and from x = 130 to 150.
STANDING = {
    "nose": (140, 38), "left_eye": (143, 35), "right_eye": (137, 35), "left_ear": (148, 37), "right_ear": (132, 37),
    "left_shoulder": (159, 62), "right_shoulder": (121, 62), "left_hip": (152, 120), "right_hip": (128, 120),
}  # fmt: skip
HEAD = np.array([[140, 22], [140, 48], [130, 35], [150, 35]])


def person(sure=frozenset(STANDING), shift=0.0):
    """Keypoints (17, 2) and scores (17,); the joints that are not sure are far off."""
    keypoints = np.full((len(COCO), 2), np.nan, np.float32)
    scores = np.full(len(COCO), np.nan, np.float32)
    for name, (x, y) in STANDING.items():
        keypoints[COCO.index(name)] = (x + shift, y) if name in sure else (20, 230)
        scores[COCO.index(name)] = 0.9 if name in sure else 0.05
    return keypoints, scores


def poses(index, shift=0.0, track_id=1):
    keypoints, scores = person(shift=shift)
    tracks = Tracks(np.array([track_id]), BOX[None] + np.float32([shift, 0, shift, 0]), np.float32([0.9]))
    return Poses(index, index / RATE, tracks, keypoints[None], scores[None])


def covers(oval, points):
    """Whether points (n, 2) lie in an oval, by its equation."""
    offset = points - oval[:2]
    up = oval[4:]
    ahead, aside = offset @ up / oval[3], offset @ [up[1], -up[0]] / oval[2]
    return bool((ahead**2 + aside**2 <= 1).all())


def test_nothing_fine_is_left_within_and_nothing_is_touched_outside():
    oval = np.float32([160, 120, 40, 50, 0, -1])
    hidden = anonymize(NOISE, oval[None])
    y, x = np.mgrid[:240, :320]
    distance = np.hypot((x - 160) / 40, (y - 120) / 50)
    inside = hidden.astype(int)
    steps = np.abs(np.diff(inside, axis=1))[distance[:, 1:] < 0.98]
    assert steps.max() <= 12  # of neighbouring pixels; the noise's are about 85 in the mean
    assert np.abs(np.diff(NOISE.astype(int), axis=1))[distance[:, 1:] < 0.98].mean() > 80
    np.testing.assert_array_equal(hidden[distance > EDGE], NOISE[distance > EDGE])


def test_a_pattern_cannot_be_told_from_its_mirror_image():
    """Fine stripes of opposite phase leave the same picture."""
    stripes = np.zeros_like(NOISE)
    stripes[:, ::2] = 200
    oval = np.float32([[160, 120, 60, 60, 0, -1]])
    centre = np.s_[90:150, 130:190]
    one, other = (
        anonymize(stripes, oval)[centre].astype(int),
        anonymize(200 - stripes, oval)[centre].astype(int),
    )
    assert np.abs(one - other).max() <= 16  # a step of the cells' coarse colours


@pytest.mark.parametrize(
    "oval", [[-30, -30, 10, 10, 0, -1], [0, 0, 40, 40, 0, -1], [319, 239, 1e5, 1e5, 1, 0]]
)
def test_ovals_off_the_picture_do_no_harm(oval):
    assert anonymize(NOISE, np.float32([oval])).shape == NOISE.shape


@pytest.mark.parametrize(
    "sure",
    [
        set(STANDING),
        set(STANDING) - {"left_ear", "right_ear"},
        {"nose", "left_shoulder", "right_shoulder"},
        {"left_shoulder", "right_shoulder", "left_hip", "right_hip"},
        {"left_shoulder", "right_shoulder"},
        set(),
    ],
    ids=["all", "no ears", "nose", "trunk", "shoulders", "only a box"],
)
def test_the_head_is_covered_whatever_is_sure(sure):
    keypoints, scores = person(sure)
    oval = head_oval(keypoints, scores, BOX, COCO)
    assert covers(oval, HEAD)
    assert oval[3] < 45  # and not half of the person


def test_an_unsure_face_near_the_head_is_covered_too():
    keypoints, scores = person({"left_shoulder", "right_shoulder", "left_hip", "right_hip"})
    keypoints[:5] = 170, 40
    assert covers(head_oval(keypoints, scores, BOX, COCO), np.array([[170, 40]]))


def test_a_head_that_hangs_down():
    keypoints, scores = person({"left_shoulder", "right_shoulder", "left_hip", "right_hip"})
    turned = 240 - keypoints
    oval = head_oval(turned, scores, np.float32([60, 20, 140, 220]), COCO)
    assert covers(oval, 240 - HEAD)


@pytest.mark.parametrize("name", ["posetrack17", "posetrack18", "jhmdb"])
def test_other_skeletons(name):
    keypoints, scores = (values[None] for values in person())
    points, confidence = convert(keypoints, scores, COCO, SKELETONS[name])
    assert covers(head_oval(points[0], confidence[0], BOX, SKELETONS[name]), HEAD)


def test_nobody_knows_where():
    nothing = np.full((17, 2), np.nan, np.float32)
    assert head_oval(nothing, nothing[:, 0], np.zeros(4, np.float32), COCO) is None


def test_no_frame_of_a_gap_leaks():
    """Seen on frames 0 to 9 and 20 to 29 while walking to the right by 2 pixels a frame."""
    seen = [*range(10, 20), *range(30, 40)]
    heads = Heads([poses(index, 2.0 * index) for index in seen], COCO, RATE)
    for index in range(10, 40):
        (oval,) = heads.at(index)
        assert covers(oval, HEAD + np.array([2.0 * index, 0]))
    hold = round(HOLD_S * RATE)
    assert [len(heads.at(index)) for index in (9 - hold, 10 - hold, 39 + hold, 40 + hold)] == [0, 1, 1, 0]


def test_a_long_gap_is_left_open():
    heads = Heads([poses(0), poses(100)], COCO, RATE)
    assert not len(heads.at(50))


def test_one_wrong_frame_uncovers_nothing():
    frames = [poses(index, 150.0 if index == 7 else 0.0) for index in range(15)]
    (oval,) = Heads(frames, COCO, RATE).at(7)
    assert covers(oval, HEAD)
    assert covers(oval, HEAD + np.array([150, 0]))


def test_people_without_a_track_are_hidden_on_their_frame_only():
    heads = Heads([poses(3, track_id=0)], COCO, RATE)
    assert [len(heads.at(index)) for index in (2, 3, 4)] == [0, 1, 0]
