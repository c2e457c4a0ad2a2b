"""Letterbox geometry against known boxes, forth and back, and against what cv2.resize does to pixels."""

import numpy as np
import pytest

from posecli.detect.letterbox import PADDING_GREY, Letterbox


@pytest.mark.parametrize(
    ("picture", "resized", "padded"),
    [
        ((360, 640), (234, 416), (256, 416)),  # wide: only the height is padded
        ((640, 360), (416, 234), (416, 256)),  # tall
        ((416, 416), (416, 416), (416, 416)),  # nothing to do
        ((100, 50), (416, 208), (416, 224)),  # enlarged
        ((1, 5000), (1, 416), (32, 416)),  # a line still has a row
    ],
)
def test_fit(picture, resized, padded):
    fit = Letterbox.fit(picture, 416, 32)
    assert (fit.resized, fit.padded) == (resized, padded)


@pytest.mark.parametrize("picture", [(360, 640), (641, 359), (77, 1033), (50, 50)])
def test_boxes_forth_and_back(picture):
    fit = Letterbox.fit(picture, 416, 32)
    height, width = picture
    boxes = np.array([[0, 0, width - 1, height - 1], [3.25, 7.5, width / 2, height / 3]], np.float32)
    np.testing.assert_allclose(fit.to_picture(fit.to_network(boxes)), boxes, atol=1e-3)


def test_the_centre_of_four_pixels_becomes_the_centre_of_one():
    fit = Letterbox.fit((128, 128), 64, 32)
    np.testing.assert_allclose(fit.to_network(np.array([[0.5, 0.5, 126.5, 2.5]])), [[0, 0, 63, 1]], atol=1e-6)


@pytest.mark.parametrize("longer_side", [96, 128, 200, 320])
def test_pixels_go_where_the_boxes_go(longer_side):
    """The centroid of a bright rectangle in the resized picture is the centre of the mapped box."""
    image = np.zeros((90, 160, 3), np.uint8)
    x0, y0, x1, y1 = 32, 24, 79, 55  # first and last bright pixels
    image[y0 : y1 + 1, x0 : x1 + 1] = 255
    fit = Letterbox.fit(image.shape[:2], longer_side, 32)
    seen = fit.apply(image)[: fit.resized[0], : fit.resized[1], 0].astype(float)
    ys, xs = np.mgrid[: seen.shape[0], : seen.shape[1]]
    centroid = [(xs * seen).sum() / seen.sum(), (ys * seen).sum() / seen.sum()]
    box = fit.to_network(np.array([[x0, y0, x1, y1]], np.float32))[0]
    np.testing.assert_allclose(
        centroid, [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2], atol=0.06
    )  # a rule off by half a pixel errs by 0.125 or more


def test_padding_is_grey_and_at_the_right_and_bottom():
    fit = Letterbox.fit((60, 100), 128, 32)
    canvas = fit.apply(np.full((60, 100, 3), 255, np.uint8))
    assert canvas.shape == (96, 128, 3)
    assert (canvas[:77] == 255).all()
    assert (canvas[77:] == PADDING_GREY).all()


def test_boxes_are_cut_off_at_the_picture():
    fit = Letterbox.fit((60, 100), 128, 32)
    outside = np.array([[-40, -40, 500, 500]], np.float32)
    np.testing.assert_array_equal(fit.to_picture(outside), [[0, 0, 99, 59]])
