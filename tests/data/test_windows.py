"""Windows: one crop and one draw for all frames, labels on their pixels."""

import numpy as np
import pytest

from posecli.data.augment import Augmentation
from posecli.data.clips import clip_footage, load_clips
from posecli.data.crops import StillPeople
from posecli.data.degrade import Degradation
from posecli.data.people import Picture
from posecli.data.windows import CameraMotion, MovingStills, RawWindow, SequenceWindows, make_window
from posecli.skeletons import COCO
from tests.data.making import K, annotation, blob, centroid, person, write_clip

SIZE = (64, 48)
RNG = np.random.default_rng
GEOMETRY_ONLY = Augmentation(
    color=0, blur_probability=0, scale=0.15, shift=0.02, truncation_probability=0, half_body_probability=0
)
IDENTITY = np.array([[1.0, 0, 0], [0, 1.0, 0]])
NOSE = COCO.index("nose")


def walking(length=3):
    """A nose that is a light, moving to the right; the other joints stand."""
    images = [blob(200, 220, 90 + 8 * i, 100 + 2 * i) for i in range(length)]
    points = np.repeat(person([60, 40, 150, 160]).keypoints[None], length, 0)
    points[:, NOSE] = [[90 + 8 * i, 100 + 2 * i] for i in range(length)]
    box = np.array([60, 40, 150, 160], np.float32)
    return RawWindow(images, [IDENTITY] * length, box, points, np.ones((length, K), np.float32), "g")


def footage_of_clips(folder):
    return [clip_footage(clip, folder / "cache") for clip in load_clips(folder, "train")]


class OneStill(StillPeople):
    """A light that is somebody's nose, without a file."""

    def load(self, index, rng):
        return blob(300, 320, 150, 130, 4.0), self._people[index][1], "still"


def still():
    one = person([100, 80, 220, 240])
    one.keypoints[NOSE] = 150, 130
    return OneStill([Picture(None, "still", True, (one,))])


@pytest.mark.parametrize("seed", range(8))
def test_keypoints_lie_on_their_pixels_on_every_frame(seed):
    sample = make_window(walking(), SIZE, RNG(seed), GEOMETRY_ONLY)
    assert sample.images.shape == (3, *SIZE, 3)
    for image, points in zip(sample.images, sample.keypoints, strict=True):
        np.testing.assert_allclose(centroid(image), points[NOSE], atol=0.3)


def test_one_draw_for_the_whole_window():
    # A joint that stands still in the picture stands still in the crops; so do the colours.
    sample = make_window(walking(), SIZE, RNG(2), Augmentation(color=0.5))
    others = np.arange(K) != NOSE
    for points in sample.keypoints[:, others]:
        np.testing.assert_allclose(points, sample.keypoints[0, others], atol=1e-3)
    flat = walking()
    flat = RawWindow(
        [np.full_like(i, 90) for i in flat.images], flat.motions, flat.box, flat.keypoints, flat.weights, ""
    )
    images = make_window(flat, SIZE, RNG(2), Augmentation(color=0.5)).images
    np.testing.assert_array_equal(images[0], images[2])


def test_mirror_exchanges_left_and_right():
    raw = walking()
    raw.weights[:, COCO.index("left_hip")] = 0
    config = Augmentation(flip_probability=1, rotation_probability=0, scale=0, shift=0, half_body_probability=0,
                          truncation_probability=0)  # fmt: skip
    plain, mirrored = make_window(raw, SIZE, RNG(0)), make_window(raw, SIZE, RNG(0), config)
    expected = plain.keypoints[:, COCO.index("right_elbow")] * [-1, 1] + [SIZE[1] - 1, 0]
    np.testing.assert_allclose(mirrored.keypoints[:, COCO.index("left_elbow")], expected, atol=1e-3)
    assert np.flatnonzero((mirrored.weights == 0).all(0)).tolist() == [COCO.index("right_hip")]


def test_a_seed_fixes_the_sample():
    samples = [make_window(walking(), SIZE, RNG(s), Augmentation(), Degradation()) for s in (1, 1, 2)]
    np.testing.assert_array_equal(samples[0].images, samples[1].images)
    np.testing.assert_array_equal(samples[0].keypoints, samples[1].keypoints)
    assert not np.array_equal(samples[0].keypoints, samples[2].keypoints)


@pytest.mark.parametrize("seed", range(4))
def test_moving_still_moves_pixels_and_labels_together(seed):
    motion = CameraMotion(shift=0.2, turn=15.0, zoom=0.15)
    raw = MovingStills(still(), 5, motion).load(0, RNG(seed))
    assert np.ptp(raw.keypoints[:, NOSE], axis=0).max() > 1
    np.testing.assert_allclose(raw.keypoints[2, NOSE], [150, 130], atol=1e-3)  # the middle frame is the still
    sample = make_window(raw, SIZE, RNG(seed), GEOMETRY_ONLY)
    for image, points, weights in zip(sample.images, sample.keypoints, sample.weights, strict=True):
        if weights[NOSE] and np.all(points[NOSE] > 4) and np.all(points[NOSE] < [43, 59]):
            np.testing.assert_allclose(centroid(image), points[NOSE], atol=0.4)


def test_clip_windows_follow_a_track(tmp_path):
    images = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(6)]
    labels = [annotation(100 + i, (5 + i, 5, 20, 30), track_id=1) for i in (0, 1, 3, 5)]
    write_clip(tmp_path, "walk", images, labels)
    source = SequenceWindows(footage_of_clips(tmp_path), length=3)
    assert len(source) == 4
    raw = source.load(1, RNG(0))  # frames 1, 2, 3
    assert [round(float(image.mean()) / 20) for image in raw.images] == [1, 2, 3]
    assert raw.box.tolist() == [6, 5, 28, 35]  # around frames 1 and 3
    assert raw.weights.sum(1).tolist() == [K, 0, K]  # nobody labelled frame 2
    assert raw.keypoints[2, 0].tolist() == [18, 20]
    last = source.load(3, RNG(0))  # frame 5, and what follows: itself
    assert [round(float(image.mean()) / 20) for image in last.images] == [5, 5, 5]


def test_clip_windows_come_in_several_speeds_and_steps(tmp_path):
    images = [np.full((48, 64, 3), 20 * i, np.uint8) for i in range(8)]
    write_clip(tmp_path, "run", images, [annotation(100 + i, (5, 5, 20, 30), track_id=1) for i in range(8)])
    source = SequenceWindows(footage_of_clips(tmp_path), length=3, strides=(1, 3), step=4)
    assert len(source) == 2
    seen = {
        tuple(round(float(image.mean()) / 20) for image in source.load(0, RNG(seed)).images)
        for seed in range(12)
    }
    assert seen == {(0, 1, 2), (0, 3, 6)}
