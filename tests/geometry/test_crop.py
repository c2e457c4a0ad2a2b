"""Crops: pixels and points move together, and come back."""

import numpy as np
import pytest
from scipy import ndimage

from posecli.geometry.crop import CropBox, apply_affine, crop_affine, invert_affine, warp

SIZE = (64, 48)


def blob(height, width, x, y, sigma):
    """A bright Gaussian at x, y on black."""
    rows, columns = np.mgrid[:height, :width]
    light = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(light.round().astype(np.uint8)[..., None], 3, -1)


def centroid(image):
    weight = image[..., 0].astype(float)
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("rotation", [0.0, 37.0, -90.0])
@pytest.mark.parametrize("mirror", [False, True])
def test_inverse_brings_points_back(rotation, mirror):
    affine = crop_affine(CropBox(103.0, 51.0, 40.0, 70.0), SIZE, rotation, mirror)
    points = np.random.default_rng(0).uniform(-50, 200, (7, 3, 2))
    there = apply_affine(affine, points)
    np.testing.assert_allclose(apply_affine(invert_affine(affine), there), points, atol=1e-9)
    assert np.abs(there - points).max() > 1


def test_points_of_single_precision_stay_so():
    affine = crop_affine(CropBox(10.0, 10.0, 8.0, 8.0), SIZE)
    assert apply_affine(affine, np.zeros((4, 2), np.float32)).dtype == np.float32


def test_first_and_last_pixel_lie_on_the_sides_of_the_box():
    box = CropBox(100.0, 60.0, 30.0, 40.0)
    corners = np.array([[85.0, 40.0], [115.0, 40.0], [85.0, 80.0], [115.0, 80.0]])
    expected = np.array([[0, 0], [47, 0], [0, 63], [47, 63]])
    np.testing.assert_allclose(apply_affine(crop_affine(box, SIZE), corners), expected, atol=1e-9)


def test_mirroring_exchanges_columns_after_the_rotation():
    box = CropBox(100.0, 60.0, 30.0, 40.0)
    points = np.array([[90.0, 47.0], [108.0, 70.0]])
    plain, mirrored = (apply_affine(crop_affine(box, SIZE, 25.0, m), points) for m in (False, True))
    np.testing.assert_allclose(mirrored, plain * [-1, 1] + [47, 0], atol=1e-9)


def test_rotation_keeps_the_middle_and_turns_the_content():
    # Width and height so that a picture's pixel is as wide as high in the crop.
    affine = crop_affine(CropBox(50.0, 50.0, 47.0, 63.0), SIZE, 90.0)
    np.testing.assert_allclose(apply_affine(affine, np.array([50.0, 50.0])), [23.5, 31.5], atol=1e-9)
    np.testing.assert_allclose(apply_affine(affine, np.array([60.0, 50.0])), [23.5, 41.5], atol=1e-9)


@pytest.mark.parametrize(
    ("xyxy", "width", "height"),
    [
        ((10, 10, 20, 110), 75 * 1.25, 100 * 1.25),  # too narrow: widened to 3:4
        ((10, 10, 310, 20), 300 * 1.25, 400 * 1.25),  # too low: heightened
        ((5, 5, 5, 5), 1 * 1.25, 4 / 3 * 1.25),  # no extent at all: a pixel
    ],
)
def test_box_takes_the_aspect_of_the_crop(xyxy, width, height):
    box = CropBox.from_xyxy(np.array(xyxy, np.float32), SIZE)
    assert (box.width, box.height) == pytest.approx((width, height))
    assert (box.center_x, box.center_y) == ((xyxy[0] + xyxy[2]) / 2, (xyxy[1] + xyxy[3]) / 2)


@pytest.mark.parametrize("rotation", [0.0, 30.0, -75.0])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("side", [24.0, 70.0, 333.0, 700.0])  # enlarged, slightly, 5 and 11 times reduced
def test_pixels_go_where_points_go(rotation, mirror, side):
    center = np.array([400.3, 405.8])
    point = center + side * np.array([-0.11, 0.07])
    affine = crop_affine(CropBox(*center, side * 0.75, side), SIZE, rotation, mirror)
    crop = warp(blob(800, 800, *point, max(1.2, 0.035 * side)), affine, SIZE)
    assert crop.shape == (*SIZE, 3)
    np.testing.assert_allclose(centroid(crop), apply_affine(affine, point), atol=0.12)


def test_strong_reduction_averages_instead_of_skipping():
    # A chequerboard of single pixels: bilinear samples would be black and white at random.
    board = (np.indices((640, 480)).sum(0) % 2 * 255).astype(np.uint8)
    crop = warp(np.repeat(board[..., None], 3, -1), crop_affine(CropBox(239.5, 319.5, 480, 640), SIZE), SIZE)
    inner = crop[2:-2, 2:-2].astype(int)
    assert np.abs(inner - 127).max() <= 3


def test_identity_crop_is_the_picture():
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    np.testing.assert_array_equal(warp(image, crop_affine(CropBox(23.5, 31.5, 47, 63), SIZE), SIZE), image)


@pytest.mark.parametrize("side", [60.0, 900.0])
def test_outside_the_picture_is_the_border(side):
    image = np.full((80, 80, 3), 250, np.uint8)
    away = warp(image, crop_affine(CropBox(5000.0, -3000.0, side * 0.75, side), SIZE), SIZE, border=114)
    assert (away == 114).all()


def test_reduced_crop_shows_the_picture_up_to_its_edges():
    # 6.25 pixels of the picture a pixel of the crop, and sides that this reduction does not divide.
    image = np.full((401, 303, 3), 250, np.uint8)
    box = CropBox(151.0, 200.0, 303.0, 404.0)
    crop = warp(image, crop_affine(box, SIZE), SIZE)
    assert crop[1:-1, 1:-1].min() == 250


def test_reduction_agrees_with_averaging_the_whole_picture():
    noise = np.random.default_rng(1).uniform(0, 2550, (400, 400))
    light = np.clip(ndimage.gaussian_filter(noise, 6) - 1150, 0, 255).astype(np.uint8)
    affine = crop_affine(CropBox(200.0, 200.0, 47 * 4.0, 63 * 4.0), SIZE, 20.0)
    rows, columns = np.mgrid[:64, :48]
    x, y = apply_affine(invert_affine(affine), np.stack([columns, rows], -1).astype(float)).transpose(2, 0, 1)
    expected = ndimage.map_coordinates(ndimage.uniform_filter(light.astype(float), 5), [y, x], order=1)
    found = warp(np.repeat(light[..., None], 3, -1), affine, SIZE)[..., 0].astype(float)
    assert expected.std() > 20
    assert np.abs(found - expected).max() < 8
    assert abs(np.mean(found - expected)) < 0.6
