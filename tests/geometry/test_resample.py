"""Features moved from one crop to another, against closed forms."""

import numpy as np
import pytest
import torch

from posecli.geometry.crop import CropBox, between_crops, crop_affine
from posecli.geometry.resample import resample

SIZE = (64, 48)
GRIDS = [(8, 6), (16, 12), (64, 48)]  # strides of 8, 4 and 1 pixels
FIRST = crop_affine(CropBox(100.0, 80.0, 36.0, 48.0), SIZE)
SMALLER = crop_affine(CropBox(103.0, 77.0, 27.0, 36.0), SIZE)  # inside the first
ASIDE = crop_affine(CropBox(110.0, 90.0, 45.0, 60.0), SIZE)


def ramp(affine, grid):
    """(1, 2, H, W): the picture's x and y, averaged over the pixels of each cell of a crop."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    linear = np.linalg.inv(affine[:, :2])
    places = np.stack([columns - affine[0, 2], rows - affine[1, 2]], -1) @ linear.T
    pixels = torch.from_numpy(places).permute(2, 0, 1)[None].float()
    return torch.nn.functional.avg_pool2d(pixels, SIZE[0] // grid[0])


def moved(features, wanted, encoded):
    affine = torch.from_numpy(between_crops(wanted, encoded))[None]
    return resample(features, affine, SIZE)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_linear_ramp_is_what_the_other_crop_would_have_had(grid):
    found = moved(ramp(FIRST, grid), SMALLER, FIRST)
    torch.testing.assert_close(found, ramp(SMALLER, grid), atol=2e-4, rtol=0)


@pytest.mark.parametrize("grid", GRIDS)
def test_outside_the_crop_the_nearest_cell_counts(grid):
    ours = ramp(FIRST, grid)
    low, high = ours.amin((2, 3), keepdim=True), ours.amax((2, 3), keepdim=True)
    expected = torch.maximum(torch.minimum(ramp(ASIDE, grid), high), low)
    assert not torch.equal(expected, ramp(ASIDE, grid))
    torch.testing.assert_close(moved(ours, ASIDE, FIRST), expected, atol=2e-4, rtol=0)


def test_the_same_crop_is_the_same_feature():
    features = torch.randn(2, 3, 8, 6, generator=torch.Generator().manual_seed(0))
    same = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]).expand(2, -1, -1)
    torch.testing.assert_close(resample(features, same, SIZE), features, atol=1e-5, rtol=0)


def test_mirrored_crops_give_mirrored_features():
    features = torch.randn(1, 3, 8, 6, generator=torch.Generator().manual_seed(0))
    boxes = CropBox(100.0, 80.0, 36.0, 48.0), CropBox(104.0, 82.0, 39.0, 52.0)
    encoded, wanted = (crop_affine(box, SIZE) for box in boxes)
    mirrored_encoded, mirrored_wanted = (crop_affine(box, SIZE, mirror=True) for box in boxes)
    found = moved(features.flip(-1), mirrored_wanted, mirrored_encoded)
    torch.testing.assert_close(found, moved(features, wanted, encoded).flip(-1), atol=1e-5, rtol=0)
