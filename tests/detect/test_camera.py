"""The camera's motion on pictures that were moved by a known one."""

import cv2
import numpy as np
import pytest

from posecli.detect.camera import CameraMotion, follow, still

from .helpers import landscape

NOBODY = np.zeros((0, 4), np.float32)
SIZE = (360, 640)


def similarity(shift, degrees=0.0, scale=1.0):
    """Turn and zoom about the picture's middle, then shift."""
    matrix = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), degrees, scale)
    matrix[:, 2] += shift
    return matrix


def moved(image, motion):
    return cv2.warpAffine(image, motion, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def corners_after(motion):
    height, width = SIZE
    points = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    return points @ motion[:, :2].T + motion[:, 2]


@pytest.mark.parametrize(
    ("shift", "degrees", "scale"),
    [((0, 0), 0, 1), ((18, -7), 0, 1), ((-6, 3), 2, 1), ((4, 4), -1, 1.04), ((0, 0), 0, 0.95)],
)
def test_a_known_motion_is_found(shift, degrees, scale):
    motion, picture = similarity(shift, degrees, scale), landscape()
    camera = CameraMotion()
    np.testing.assert_array_equal(camera.estimate(picture, NOBODY), still())
    estimate = camera.estimate(moved(picture, motion), NOBODY)
    np.testing.assert_allclose(corners_after(estimate), corners_after(motion), atol=3)


def test_people_do_not_count_as_background():
    """Three quarters of the picture go right, the rest is still: only who is told of the people sees the rest."""
    street, crowd = landscape(1), landscape(2)
    camera_sees = []
    for people in (NOBODY, np.array([[0, 0, 480, 360]], np.float32)):
        camera = CameraMotion()
        for x in (0, 15):
            picture = street.copy()
            picture[:, :480] = np.roll(crowd, x, axis=1)[:, :480]
            estimate = camera.estimate(picture, people)
        camera_sees.append(estimate[:, 2])
    assert abs(camera_sees[0][0] - 15) < 2
    np.testing.assert_allclose(camera_sees[1], 0, atol=1)


def test_people_everywhere_are_better_than_nothing():
    motion, picture = similarity((12, 0)), landscape()
    everywhere = np.array([[0, 0, 640, 360]], np.float32)
    camera = CameraMotion()
    camera.estimate(picture, everywhere)
    estimate = camera.estimate(moved(picture, motion), everywhere)
    np.testing.assert_allclose(corners_after(estimate), corners_after(motion), atol=3)


@pytest.mark.parametrize(
    "second", [np.full((*SIZE, 3), 90, np.uint8), landscape(size=(640, 360)), landscape(3)]
)
def test_pictures_that_tell_nothing_leave_the_camera_where_it_is(second):
    """Without texture, of another size, of another place."""
    camera = CameraMotion()
    camera.estimate(landscape(), NOBODY)
    np.testing.assert_array_equal(camera.estimate(second, NOBODY), still())


def test_tiny_pictures():
    camera = CameraMotion()
    for _ in range(2):
        np.testing.assert_array_equal(camera.estimate(np.zeros((1, 1, 3), np.uint8), NOBODY), still())


def test_reset_forgets_the_picture():
    camera = CameraMotion()
    camera.estimate(landscape(), NOBODY)
    camera.reset()
    np.testing.assert_array_equal(camera.estimate(moved(landscape(), similarity((9, 0))), NOBODY), still())


def test_boxes_follow_the_camera():
    box = np.array([[10, 20, 30, 60]], np.float32)
    quarter_turn_and_zoom = np.array([[0, -2, 100], [2, 0, 0]], np.float32)
    # The centre (20, 40) goes to (100 - 80, 40); the box stays upright and doubles in size.
    np.testing.assert_allclose(follow(quarter_turn_and_zoom, box), [[0, 0, 40, 80]], atol=1e-4)
    np.testing.assert_array_equal(follow(still(), box), box)
    assert follow(still(), box[:0]).shape == (0, 4)
