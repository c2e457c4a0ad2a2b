"""Crops of single people: labels stay on their pixels."""

import numpy as np
import pytest

from posecli.data.augment import Augmentation
from posecli.data.clips import clip_footage, load_clips
from posecli.data.crops import SequencePeople, StillPeople, inside, make_crop
from posecli.data.people import Picture
from posecli.skeletons import COCO
from tests.data.making import K, annotation, blob, centroid, person, write_clip

SIZE = (64, 48)
GEOMETRY_ONLY = Augmentation(
    color=0, blur_probability=0, scale=0.15, truncation_probability=0, half_body_probability=0
)
RNG = np.random.default_rng


@pytest.mark.parametrize("seed", range(12))
def test_keypoint_lies_on_its_pixel(seed):
    left_wrist = COCO.index("left_wrist")
    one = person([60, 40, 140, 160])
    one.keypoints[left_wrist] = 103.0, 94.0
    crop = make_crop(blob(200, 220, 103, 94), one, "g", SIZE, RNG(seed), GEOMETRY_ONLY)
    candidates = crop.keypoints[[left_wrist, COCO.index("right_wrist")]]
    distances = np.linalg.norm(candidates - centroid(crop.image), axis=-1)
    assert distances.min() < 0.3


def test_mirror_exchanges_left_and_right():
    one = person([60, 40, 140, 160], labelled=[1] * 5 + [0, 1] + [1] * 10)  # no left shoulder
    wanted = Augmentation(flip_probability=1, rotation_probability=0, scale=0, shift=0, half_body_probability=0,
                          truncation_probability=0)  # fmt: skip
    plain = make_crop(blob(200, 220, 100, 90), one, "g", SIZE, RNG(0))
    mirrored = make_crop(blob(200, 220, 100, 90), one, "g", SIZE, RNG(0), wanted)
    for name, counterpart in (("nose", "nose"), ("left_knee", "right_knee"), ("right_ear", "left_ear")):
        x, y = plain.keypoints[COCO.index(name)]
        assert mirrored.keypoints[COCO.index(counterpart)] == pytest.approx([SIZE[1] - 1 - x, y], abs=1e-3)
    assert mirrored.weights[COCO.index("right_shoulder")] == 0
    assert mirrored.weights.sum() == K - 1


def test_unlabelled_and_outside_weigh_nothing():
    one = person([60, 40, 140, 160], labelled=[0, 0] + [1] * (K - 2))
    one.keypoints[5] = 400, 90
    crop = make_crop(blob(200, 220, 100, 90), one, "g", SIZE, RNG(0))
    assert np.flatnonzero(crop.weights == 0).tolist() == [0, 1, 5]


def test_human_labels_weigh_more():
    image = blob(200, 220, 100, 90)
    human, teacher = person([60, 40, 140, 160]), person([60, 40, 140, 160], human=False)
    assert set(make_crop(image, human, "g", SIZE, RNG(0), human_weight=2.5).weights) == {2.5}
    assert set(make_crop(image, teacher, "g", SIZE, RNG(0), human_weight=2.5).weights) == {1.0}


def test_height_is_the_persons_own_in_crop_pixels():
    # 120 pixels high, 3:4 holds: the crop's 63 pixels span 1.25 times that.
    crop = make_crop(blob(200, 220, 100, 90), person([60, 40, 140, 160]), "g", SIZE, RNG(0))
    assert crop.box_height == pytest.approx(63 / 1.25)
    assert crop.group == "g"


def test_inside_counts_the_border():
    points = np.array([[0, 0], [47, 63], [47.1, 63], [-0.1, 5]], np.float32)
    assert inside(points, SIZE).tolist() == [1, 1, 0, 0]


def test_stills_leave_out_crowds_and_the_unlabelled(tmp_path):
    few = person([0, 0, 9, 9], labelled=[1, 1, 1] + [0] * 14)
    people = (person([0, 0, 20, 20]), person([0, 0, 9, 9], crowd=True), few)
    source = StillPeople([Picture(tmp_path / "a.png", "g", True, people)], min_keypoints=4)
    assert len(source) == 1
    assert len(StillPeople([Picture(tmp_path / "a.png", "g", True, people)])) == 2


def test_stills_can_be_those_that_humans_labelled(tmp_path):
    people = (person([0, 0, 9, 9]), person([0, 0, 9, 9], human=False))
    source = StillPeople([Picture(tmp_path / "a.png", "g", True, people)], human=True)
    assert len(source) == 1


def test_clips_are_sampled_by_stride_without_crowds(tmp_path):
    images = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(7)]
    labels = [annotation(100 + i, (5, 5, 30, 40), track_id=1) for i in range(7)]
    labels += [annotation(100, (0, 0, 9, 9), iscrowd=1), annotation(103, (0, 0, 9, 9), visible=0)]
    write_clip(tmp_path, "walk", images, labels)
    footage = [clip_footage(clip, tmp_path / "cache") for clip in load_clips(tmp_path, "train")]
    source = SequencePeople(footage, stride=3)
    assert len(source) == 3
    brightness = [source.load(i, RNG(0))[0].mean() for i in range(3)]
    assert brightness == pytest.approx([0, 60, 120], abs=3)
    assert source.load(0, RNG(0))[2] == "walk"
