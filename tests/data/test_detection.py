"""Whole pictures for the detector."""

from dataclasses import replace

import numpy as np
import pytest

from posecli.data.augment import NO_AUGMENTATION, Augmentation
from posecli.data.detection import BORDER, clip_boxes, make_detection_sample, map_boxes
from tests.data.making import blob, centroid, person

SIZE = (96, 128)
RNG = np.random.default_rng
GEOMETRY_ONLY = Augmentation(
    color=0, blur_probability=0, half_body_probability=0, truncation_probability=0, scale=0.2, rotation=10.0
)


def test_plain_picture_fills_the_sample():
    image = np.full((96, 128, 3), 200, np.uint8)
    sample = make_detection_sample(image, (person([10, 20, 50, 80]),), SIZE, RNG(0), NO_AUGMENTATION)
    np.testing.assert_array_equal(sample.image[1:-1], image[1:-1])
    np.testing.assert_allclose(sample.boxes, [[10, 20, 50, 80]], atol=0.1)
    assert sample.ignored.shape == (0, 4)


def test_picture_of_another_shape_is_fitted_in_on_grey():
    image = np.full((191, 191, 3), 200, np.uint8)
    sample = make_detection_sample(image, (person([95, 0, 190, 190]),), SIZE, RNG(0), NO_AUGMENTATION)
    assert (sample.image[:, :15] == BORDER).all()
    assert (sample.image[2:-2, 18:-18] == 200).all()
    np.testing.assert_allclose(sample.boxes, [[63.5, 0, 111, 95]], atol=0.6)


@pytest.mark.parametrize("seed", range(10))
def test_boxes_move_with_their_pixels(seed):
    # A light with a box of 40 pixels around it: the light stays in the middle of the upright box.
    image = blob(200, 260, 120, 90, 5.0)
    people = (person([100, 70, 140, 110]),)
    sample = make_detection_sample(image, people, SIZE, RNG(seed), GEOMETRY_ONLY)
    inner = np.where(sample.image > BORDER + 2, sample.image, 0)
    (box,) = sample.boxes
    np.testing.assert_allclose(centroid(inner), (box[:2] + box[2:]) / 2, atol=1.0)


def test_crowds_small_people_and_cut_ones_are_ignored_and_absent_ones_forgotten():
    image = np.zeros((96, 128, 3), np.uint8)
    people = (
        person([30, 30, 60, 80]),
        person([70, 30, 90, 80], crowd=True),
        person([5, 5, 9, 30]),  # 4 pixels wide
        person([-70, 30, 20, 80]),  # less than a quarter in the picture
        person([-40, 30, -10, 80]),  # outside
        person([-20, 10, 40, 60]),  # two thirds inside: cut off
    )
    sample = make_detection_sample(image, people, SIZE, RNG(0), NO_AUGMENTATION)
    np.testing.assert_allclose(sample.boxes, [[30, 30, 60, 80], [0, 10, 40, 60]], atol=0.1)
    np.testing.assert_allclose(sample.ignored, [[70, 30, 90, 80], [5, 5, 9, 30], [0, 30, 20, 80]], atol=0.2)


def test_picture_without_people():
    sample = make_detection_sample(np.zeros((50, 60, 3), np.uint8), (), SIZE, RNG(0), Augmentation())
    assert sample.boxes.shape == sample.ignored.shape == (0, 4)


VIEW_ONLY = Augmentation(
    scale=0, shift=0, rotation_probability=0, flip_probability=0, half_body_probability=0,
    truncation_probability=0, color=0, blur_probability=0, view=(0.5, 0.5),
)  # fmt: skip


def test_detail_lies_on_the_picture_at_its_scale():
    rows, columns = np.mgrid[:191, :255]
    image = np.stack([rows, columns, np.zeros_like(rows)], -1).astype(np.uint8)  # each pixel says where it is
    corners = []
    for seed in range(20):
        sample = make_detection_sample(image, (), SIZE, RNG(seed), VIEW_ONLY)
        assert (sample.image[..., 2] == 0).all()  # no border, which is grey
        top, left = sample.image[0, 0, :2].astype(int)
        bottom, right = sample.image[-1, -1, :2].astype(int)
        assert (bottom - top, right - left) == pytest.approx((95, 127), abs=1.5)  # half of the picture
        corners.append((top, left))
    assert np.ptp(corners, axis=0).min() > 50  # from all over it


def test_details_mostly_show_somebody():
    image = np.zeros((191, 255, 3), np.uint8)
    somebody = (person([4, 4, 24, 44]),)
    shown = [len(make_detection_sample(image, somebody, SIZE, RNG(s), VIEW_ONLY).boxes) for s in range(100)]
    assert 70 <= sum(shown) < 100  # against a quarter by chance


def test_wider_view_has_the_whole_picture_in_it():
    image = np.full((191, 255, 3), 200, np.uint8)
    for seed in range(10):
        sample = make_detection_sample(
            image, (person([0, 0, 254, 190]),), SIZE, RNG(seed), replace(VIEW_ONLY, view=(1.5, 1.5))
        )
        (box,) = sample.boxes
        np.testing.assert_allclose(box[2:] - box[:2], [127 / 1.5, 95 / 1.5], atol=1.0)


def test_turned_box_is_enclosed():
    quarter_turn = np.array([[0.0, -1.0, 100.0], [1.0, 0.0, 0.0]])
    boxes = map_boxes(quarter_turn, np.array([[10, 20, 30, 60]], np.float32))
    assert boxes.tolist() == [[40, 10, 80, 30]]
    assert clip_boxes(boxes, (25, 70)).tolist() == [[40, 10, 69, 24]]
