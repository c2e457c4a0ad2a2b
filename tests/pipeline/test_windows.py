"""Windows over a stream, against brute force."""

import numpy as np
import pytest

from posecli.geometry.crop import CropBox, apply_affine, crop_affine
from posecli.pipeline.windows import enclosing, person_windows, single_frames, windows
from posecli.types import Frame, Tracks

FORMS = {
    "keyframe of 5": (5, (2,)),
    "keyframe of 3": (3, (1,)),
    "all 5": (5, (0, 1, 2, 3, 4)),
    "all 4": (4, (0, 1, 2, 3)),
    "single": (1, (0,)),
    "middle 2 of 6": (6, (2, 3)),
}


def stream(length):
    return ((Frame(i, i / 25, np.zeros((2, 2, 3), np.uint8)), Tracks.empty()) for i in range(length))


def by_brute_force(count, length, outputs):
    """(indices of the window's frames, indices of the answered ones)."""
    result = []
    for answered in range(0, count, len(outputs)):
        positions = [answered - outputs[0] + i for i in range(length)]
        frames = [min(max(p, 0), count - 1) for p in positions]
        result.append((frames, [positions[o] for o in outputs if positions[o] < count]))
    return result


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", range(14))
def test_every_frame_is_answered_once_with_the_nearest_frames_at_the_ends(form, count):
    length, outputs = FORMS[form]
    found = [
        (
            [frame.index for frame, _ in window.frames],
            [window.frames[position][0].index for position in window.answered],
        )
        for window in windows(stream(count), length, outputs)
    ]
    assert found == by_brute_force(count, length, outputs)
    assert [index for _, answered in found for index in answered] == list(range(count))


def test_windows_come_as_soon_as_their_frames_do():
    taken = []

    def watched():
        for item in stream(9):
            taken.append(item[0].index)
            yield item

    ready = windows(watched(), 5, (2,))
    latest = [taken[-1] for _ in ready]
    assert latest == [2, 3, 4, 5, 6, 7, 8, 8, 8]


def tracks(*rows):
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Tracks(table[:, 0].astype(np.int64), table[:, 1:], np.ones(len(table), np.float32))


def seen(*frames):
    """A stream of 200 x 160 pictures with people on them; each picture is as bright as its index."""
    return [(Frame(i, i / 25, np.full((160, 200, 3), 10 + i, np.uint8)), f) for i, f in enumerate(frames)]


def test_people_are_cut_out_of_every_frame_with_one_affine():
    people = seen(
        tracks((7, 20, 30, 60, 90)),
        tracks((4, 100, 20, 140, 100), (7, 30, 30, 70, 90)),
        tracks((7, 25, 20, 65, 95), (4, 110, 20, 150, 100)),
    )
    (window,) = windows(people, 3, (0, 1, 2))
    seven, four = person_windows(window, (64, 48), 1.25)
    assert (seven.frames, seven.positions, seven.rows) == ((0, 1, 2), (0, 1, 2), (0, 1, 0))
    assert (four.frames, four.positions, four.rows) == ((1, 2), (1, 2), (0, 1))
    box = CropBox.from_xyxy(np.array([20, 20, 70, 95]), (64, 48), 1.25)
    np.testing.assert_allclose(seven.affine, crop_affine(box, (64, 48)))
    assert seven.box_height == pytest.approx(63 / 1.25)  # as tall as the crop allows: the box is narrow
    assert seven.crops.shape == (3, 64, 48, 3)
    assert [int(crop[32, 24, 0]) for crop in seven.crops] == [10, 11, 12]
    for corner in ([20, 20], [70, 95]):  # the enclosing box is inside the crop
        assert np.all(apply_affine(seven.affine, np.array(corner, float)) > 0)
        assert np.all(apply_affine(seven.affine, np.array(corner, float)) < [47, 63])


def test_only_answered_frames_count_for_a_key_frame():
    people = seen(tracks((1, 0, 0, 9, 9)), tracks((2, 20, 30, 60, 90)), tracks((2, 0, 0, 199, 159)))
    window = list(windows(people, 3, (1,)))[1]
    (person,) = person_windows(window, (64, 48), 1.25)  # 1 is not on the key frame
    assert (person.frames, person.positions, person.rows) == ((1,), (0,), (0,))
    box = CropBox.from_xyxy(np.array([20, 30, 60, 90]), (64, 48), 1.25)
    np.testing.assert_allclose(person.affine, crop_affine(box, (64, 48)))


def test_boxes_wider_than_the_crop_are_told_as_lower():
    (window,) = windows(seen(tracks((1, 0, 0, 150, 50))), 1, (0,))
    (person,) = person_windows(window, (64, 48), 1.25)
    assert person.box_height == pytest.approx(63 / 1.25 * (50 / 200))  # 200 pixels of height make it 3:4


def test_enclosing():
    assert enclosing(np.array([[0, 5, 10, 20], [3, 1, 12, 8]], np.float32)).tolist() == [0, 1, 12, 20]


@pytest.mark.parametrize("outputs", [(2,), (0, 1, 2, 3, 4)])
def test_single_frames_keep_pictures_apart(outputs):
    for number, window in enumerate(single_frames(((i, None) for i in range(3)), 5, outputs)):
        assert [frame for frame, _ in window.frames] == [number] * 5
        assert window.answered == (2,)
        assert outputs[window.answered[0] - window.first_output] == 2
