"""Whole pictures for the detector."""

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


def test_turned_box_is_enclosed():
    quarter_turn = np.array([[0.0, -1.0, 100.0], [1.0, 0.0, 0.0]])
    boxes = map_boxes(quarter_turn, np.array([[10, 20, 30, 60]], np.float32))
    assert boxes.tolist() == [[40, 10, 80, 30]]
    assert clip_boxes(boxes, (25, 70)).tolist() == [[40, 10, 69, 24]]
