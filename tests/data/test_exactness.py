"""Augmented pictures and their keypoints are moved alike: markers drawn at the keypoints are found where the keypoints
went, to a fraction of a pixel, whatever was drawn."""

import cv2
import numpy as np
import pytest

from posecli.data.augment import NO_AUGMENTATION, Augmentation
from posecli.data.crops import make_crop
from posecli.data.windows import RawWindow, make_window
from posecli.geometry.crop import apply_affine
from posecli.skeletons import COCO, JHMDB, POSETRACK17
from tests.data.making import person

SIZE = (256, 192)
TOLERANCE = 0.05  # pixels of the crop
IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])
RADIUS = 8  # of what is looked at around a keypoint, pixels of the crop


def only(**fields):
    return Augmentation(**{name: getattr(NO_AUGMENTATION, name) for name in Augmentation.__slots__} | fields)


KINDS = {
    "nothing": NO_AUGMENTATION,
    "rotation": only(rotation=45.0, rotation_probability=1.0),
    "scale": only(scale=0.35),
    "shift": only(shift=0.1),
    "flip": only(flip_probability=1.0),
    "half body": only(half_body_probability=1.0),
    "truncation": only(truncation_probability=1.0),
    "the paper's": Augmentation(shift=0, color=0, blur_probability=0),
    "everything at once": Augmentation(
        color=0, blur_probability=0, rotation_probability=1, half_body_probability=1, truncation_probability=1
    ),
}


def scattered(skeleton, rng, box, spacing):
    """Keypoints on a jittered grid over a box, so that no two markers touch; in random order."""
    columns = np.linspace(box[0] + spacing, box[2] - spacing, 4)
    rows = np.linspace(box[1] + spacing, box[3] - spacing, 5)
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    chosen = grid[rng.permutation(len(grid))[: len(skeleton)]]
    return (chosen + rng.uniform(-0.1, 0.1, chosen.shape) * spacing).astype(np.float32)


def markers(size, points, sigma):
    """A Gaussian at each point, each with a brightness of its own, on black."""
    light = np.zeros(size)
    reach = round(5 * sigma)
    for number, (x, y) in enumerate(points):
        left, top = int(x) - reach, int(y) - reach
        rows, columns = np.mgrid[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
        light[rows, columns] += (80 + 10 * number) * np.exp(
            -((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)
        )
    return np.repeat(light.round().astype(np.uint8)[..., None], 3, -1)


def marker_near(crop, point):
    """(x, y) of a marker's centre near a place, and its peak's brightness: a paraboloid through its logarithm."""
    x, y = np.round(point).astype(int)
    rows, columns = np.mgrid[y - RADIUS : y + RADIUS + 1, x - RADIUS : x + RADIUS + 1]
    light = crop[rows, columns, 0].astype(float)
    rows, columns, light = (values[light > 20] for values in (rows - y, columns - x, light))
    terms = np.stack([np.ones_like(rows), columns, rows, columns**2, columns * rows, rows**2], -1)
    constant, *linear, xx, xy, yy = np.linalg.lstsq(
        terms * light[:, None], np.log(light) * light, rcond=None
    )[0]
    center = np.linalg.solve([[2 * xx, xy], [xy, 2 * yy]], -np.array(linear))
    return center + np.array([x, y]), np.exp(constant + np.array(linear) @ center / 2)


def visible(points, weights):
    """Keypoints with weight whose marker lies within the crop as a whole."""
    limit = np.array(SIZE[::-1]) - 1 - RADIUS - 1
    return np.flatnonzero((weights > 0) & np.all((points > RADIUS + 1) & (points < limit), -1))


def moving_window(rng, skeleton, length=3):
    """A person 300 pixels tall who moves and is seen by a moving camera, with markers on every frame."""
    box = np.array([110, 90, 300, 390], np.float32)
    first = scattered(skeleton, rng, box, 24)
    points = np.stack([first + np.array([4.5 * t, -3.25 * t], np.float32) for t in range(length)])
    motions = [np.array([[1.0, 0, 1.5 * t], [0, 1.0, 2.0 * t]]) for t in range(length)]
    images = [markers((480, 420), p, 2.5) for p in points]
    moved = np.stack([apply_affine(m, p) for m, p in zip(motions, points, strict=True)])
    # A frame's picture under its motion shows a marker where the motion takes it.
    weights = np.ones(points.shape[:2], np.float32)
    return RawWindow(images, motions, box, moved.astype(np.float32), weights, "")


@pytest.mark.parametrize("skeleton", [COCO, POSETRACK17, JHMDB], ids=lambda s: s.name)
@pytest.mark.parametrize("kind", KINDS)
def test_markers_lie_where_the_keypoints_went_on_every_frame(kind, skeleton):
    found = 0
    for seed in range(2):
        raw = moving_window(np.random.default_rng(seed), skeleton)
        sample = make_window(raw, SIZE, np.random.default_rng(seed), KINDS[kind], skeleton=skeleton)
        for image, points, weights in zip(sample.images, sample.keypoints, sample.weights, strict=True):
            for joint in visible(points, weights):
                center, _ = marker_near(image, points[joint])
                np.testing.assert_allclose(center, points[joint], atol=TOLERANCE)
                found += 1
    assert found > 30


def test_a_mirror_renames_left_and_right():
    """What the mirrored picture calls left is the marker that was right before; each marker has its brightness."""
    raw = moving_window(np.random.default_rng(0), COCO)
    peaks = []
    for config in (NO_AUGMENTATION, KINDS["flip"]):
        sample = make_window(raw, SIZE, np.random.default_rng(0), config)
        joints = visible(sample.keypoints[0], sample.weights[0])
        assert len(joints) == len(COCO)
        peaks.append([marker_near(sample.images[0], sample.keypoints[0, joint])[1] for joint in joints])
    plain, mirrored = peaks
    assert plain == sorted(plain)
    np.testing.assert_allclose(mirrored, np.array(plain)[COCO.flip], atol=1)


def test_a_large_person_in_a_small_crop_stays_exact():
    """Where pictures are averaged down first."""
    rng = np.random.default_rng(3)
    box = np.array([150, 100, 850, 1050], np.float32)
    points = scattered(COCO, rng, box, 90)
    image = markers((1200, 1000), points, 14.0)
    found = 0
    for seed in range(6):
        crop = make_crop(
            image, person(box, points), "", SIZE, np.random.default_rng(seed), KINDS["the paper's"]
        )
        for joint in visible(crop.keypoints, crop.weights):
            np.testing.assert_allclose(
                marker_near(crop.image, crop.keypoints[joint])[0], crop.keypoints[joint], atol=TOLERANCE
            )
            found += 1
    assert found > 30


@pytest.mark.parametrize("seed", range(12))
def test_what_is_truncated_is_neither_seen_nor_trained(seed):
    """The part of a box that is cut away is red: an upright crop shows none of it, and none of its keypoints counts."""
    box = np.array([200, 150, 300, 400], np.float32)
    keep = 0.6
    config = only(truncation_probability=1.0, truncation_keep=(keep, keep), scale=0.35)
    x, y = np.meshgrid(np.linspace(205, 295, 4), np.linspace(155, 395, 5))
    points = np.stack([x, y], -1).reshape(-1, 2)[:17].astype(np.float32)
    strips = {"left": [200, 150, 240, 400], "right": [260, 150, 300, 400], "top": [200, 150, 300, 250],
              "bottom": [200, 300, 300, 400]}  # fmt: skip
    seen = {}
    for name, (x0, y0, x1, y1) in strips.items():
        image = np.zeros((600, 500, 3), np.uint8)
        cv2.rectangle(image, (x0 + 1, y0 + 1), (x1 - 2, y1 - 2), (255, 0, 0), cv2.FILLED)
        crop = make_crop(image, person(box, points), "", SIZE, np.random.default_rng(seed), config)
        inside = np.all((points > [x0, y0]) & (points < [x1, y1]), -1)
        seen[name] = (int((crop.image > 0).any(-1).sum()), float(crop.weights[inside].sum()))
    assert sum(value == (0, 0.0) for value in seen.values()) == 1


def test_one_draw_for_all_frames_of_a_window():
    """The same picture on every frame gives the same crop on every frame."""
    raw = moving_window(np.random.default_rng(1), COCO)
    same = RawWindow([raw.images[0]] * 3, [IDENTITY] * 3, raw.box, raw.keypoints[[0, 0, 0]], raw.weights, "")
    for seed in range(5):
        sample = make_window(same, SIZE, np.random.default_rng(seed), Augmentation(half_body_probability=1))
        for t in (1, 2):
            np.testing.assert_array_equal(sample.images[t], sample.images[0])
            np.testing.assert_array_equal(sample.keypoints[t], sample.keypoints[0])
