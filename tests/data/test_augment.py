"""One draw of augmentation."""

import numpy as np
import pytest

from posecli.data.augment import NO_AUGMENTATION, Augmentation, Draw, draw
from posecli.geometry.crop import CropBox, apply_affine
from posecli.skeletons import COCO

SIZE = (64, 48)
BOX = np.array([20, 30, 80, 110], np.float32)
POINTS = np.stack([np.linspace(25, 75, 17), np.linspace(35, 105, 17)], -1).astype(np.float32)
ALL = np.ones(17, np.float32)


def drawn(config, seed=0, labelled=ALL):
    return draw(np.random.default_rng(seed), config, BOX, POINTS, labelled, COCO, SIZE)


def only(**fields):
    return Augmentation(**{name: getattr(NO_AUGMENTATION, name) for name in Augmentation.__slots__} | fields)


def test_no_augmentation_is_the_plain_crop():
    result = drawn(NO_AUGMENTATION)
    assert result.box == CropBox.from_xyxy(BOX, SIZE)
    assert (result.rotation, result.mirror, result.offset, result.blur) == (0, False, 0, 0)
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    np.testing.assert_array_equal(result.recolor(image), image)


def test_a_seed_fixes_the_draw():
    first, again, other = drawn(Augmentation(), 3), drawn(Augmentation(), 3), drawn(Augmentation(), 4)
    assert (first.box, first.rotation, first.mirror) == (again.box, again.rotation, again.mirror)
    np.testing.assert_array_equal(first.gain, again.gain)
    assert first.box != other.box


def test_draws_stay_within_their_limits():
    plain = CropBox.from_xyxy(BOX, SIZE)
    config = only(scale=3.0, rotation=200.0, rotation_probability=1.0, flip_probability=0.5)
    draws = [drawn(config, seed) for seed in range(200)]
    scales = [d.box.width / plain.width for d in draws]
    assert (min(scales), max(scales)) == (pytest.approx(0.65), pytest.approx(1.35))
    rotations = [d.rotation for d in draws]
    assert (min(rotations), max(rotations)) == (-90, 90)
    assert 60 < sum(d.mirror for d in draws) < 140


def test_shift_is_in_units_of_the_box():
    plain = CropBox.from_xyxy(BOX, SIZE)
    shifts = [
        (drawn(only(shift=0.1), seed).box.center_x - plain.center_x) / plain.width for seed in range(300)
    ]
    assert np.std(shifts) == pytest.approx(0.1, rel=0.2)


def test_half_body_encloses_the_upper_or_the_lower_one():
    lower = POINTS[11:]
    upper = POINTS[:11]
    found = set()
    for seed in range(20):
        box = drawn(only(half_body_probability=1.0), seed).box
        for name, points in (("lower", lower), ("upper", upper)):
            center = (points.min(0) + points.max(0)) / 2
            if np.allclose([box.center_x, box.center_y], center, atol=1e-3):
                found.add(name)
                # DCPose's: 1.5 times the extent, made to the crop's aspect, and no padding beside that.
                width, height = np.ptp(points, axis=0)
                assert box.width == pytest.approx(1.5 * max(width, height * 0.75))
                assert box.height == pytest.approx(1.5 * max(height, width / 0.75))
    assert found == {"lower", "upper"}


def test_half_body_takes_the_other_half_where_the_drawn_one_lacks_labels():
    upper_only = np.ones(17, np.float32)
    upper_only[11:] = 0
    center = (POINTS[:11].min(0) + POINTS[:11].max(0)) / 2
    for seed in range(8):
        box = drawn(only(half_body_probability=1.0), seed, upper_only).box
        np.testing.assert_allclose([box.center_x, box.center_y], center, atol=1e-3)


def test_half_body_needs_labels():
    few = np.zeros(17, np.float32)
    few[:8] = 1  # no more than half_body_keypoints
    assert drawn(only(half_body_probability=1.0), labelled=few).box == CropBox.from_xyxy(BOX, SIZE)


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_truncation_ends_the_crop_where_the_box_is_cut(rotation):
    config = only(
        truncation_probability=1.0, truncation_keep=(0.5, 0.5), scale=0.35,
        rotation=rotation, rotation_probability=1.0,
    )  # fmt: skip
    sides = set()
    for seed in range(40):
        # Half of 20..80 and 30..110: the cut's middle is the box's. It lies in the middle of one side of the crop.
        x, y = apply_affine(drawn(config, seed).affine(SIZE), np.array([50.0, 70.0]))
        sides.add((round(float(x), 3), round(float(y), 3)))
    assert sides == {(0, 31.5), (47, 31.5), (23.5, 0), (23.5, 63)}


def test_recolour_is_gain_and_offset_a_channel():
    change = Draw(CropBox(0, 0, 1, 1), 0, False, np.array([2, 1, 0.5], np.float32), 10, 0)
    image = np.array([[[10, 100, 200], [200, 250, 0]]], np.uint8)
    assert change.recolor(image).tolist() == [[[30, 110, 110], [255, 255, 10]]]


def test_blur_spreads_a_point():
    change = Draw(CropBox(0, 0, 1, 1), 0, False, np.ones(3, np.float32), 0, 1.5)
    image = np.zeros((11, 11, 3), np.uint8)
    image[5, 5] = 255
    blurred = change.recolor(image)
    assert 0 < blurred[5, 7, 0] < blurred[5, 5, 0] < 255
