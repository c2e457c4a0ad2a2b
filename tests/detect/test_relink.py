"""Lost people in flat colours who come back, with a tracker that gives them new ids."""

import numpy as np
import pytest

from posecli.detect.camera import still
from posecli.detect.relink import Relinker

from .helpers import tracks

RED, BLUE, GREEN = (200, 0, 0), (0, 0, 200), (0, 200, 0)
RATE = 10
HEIGHT = 60


class Clip:
    """People 20 x 60 are painted where the tracker says, at 10 pictures a second."""

    def __init__(self, memory_s=3.0):
        self.relinker = Relinker(memory_s)
        self.index = 0

    def show(self, *people, motion=None):
        """Each person: the tracker's id, x, colour (and height). Our ids, in the order given."""
        image = np.full((200, 640, 3), 90, np.uint8)
        rows = []
        for track, x, colour, *height in people:
            bottom = 20 + (height[0] if height else HEIGHT)
            image[20:bottom, x : x + 20] = colour
            rows.append((track, x, 20, x + 20, bottom, 0.9))
        motion = still() if motion is None else np.asarray(motion, np.float32)
        found = self.relinker.update(tracks(*rows), image, self.index / RATE, motion)
        self.index += 1
        by_box = {float(box[0]): our_id for box, our_id in zip(found.xyxy, found.ids.tolist(), strict=True)}
        assert found.ids.tolist() == sorted(set(found.ids.tolist()))
        return [by_box[float(x)] for _, x, *_ in people]

    def wait(self, pictures):
        for _ in range(pictures):
            self.show()


def seen(clip, *people, times=4):
    for _ in range(times):
        ids = clip.show(*people)
    return ids


def test_the_trackers_ids_are_numbered_in_order_of_appearance():
    clip = Clip()
    assert clip.show((7, 300, RED)) == [1]
    assert clip.show((3, 0, BLUE), (7, 300, RED)) == [2, 1]


def test_who_comes_back_has_the_old_id():
    clip = Clip()
    seen(clip, (1, 100, RED))
    clip.wait(10)
    assert clip.show((2, 110, RED)) == [1]
    assert clip.show((2, 112, RED)) == [1]


@pytest.mark.parametrize(
    ("stranger", "is_new"),
    [
        ((2, 110, RED), False),
        ((2, 110, BLUE), True),  # looks different
        ((2, 100, RED, 100), True),  # far too tall
        ((2, 100, RED, 80), False),
        # Half a height at once and one a second: 60 pixels are 1, so 1.2 s allow 102 pixels.
        ((2, 198, RED), False),
        ((2, 210, RED), True),
    ],
)
def test_looks_size_and_place_must_fit(stranger, is_new):
    clip = Clip()
    seen(clip, (1, 100, RED))
    clip.wait(11)
    assert clip.show(stranger) == [2 if is_new else 1]


@pytest.mark.parametrize(("pictures", "our_id"), [(25, 1), (32, 2)])
def test_people_are_remembered_for_three_seconds(pictures, our_id):
    clip = Clip()
    seen(clip, (1, 100, RED))
    clip.wait(pictures)
    assert clip.show((2, 100, RED)) == [our_id]


def test_nothing_is_kept_of_people_who_are_forgotten():
    clip = Clip(memory_s=0.5)
    for track in range(200):
        seen(clip, (track, 100, RED), times=3)
        clip.wait(8)
    assert len(clip.relinker._people) <= 1
    assert len(clip.relinker._ids) <= 1


def test_a_false_alarm_does_not_come_back():
    clip = Clip()
    seen(clip, (1, 100, RED), times=2)
    clip.wait(3)
    assert clip.show((2, 100, RED)) == [2]


def test_somebody_in_sight_is_not_taken_for_lost():
    clip = Clip()
    seen(clip, (1, 100, RED))
    assert clip.show((1, 100, RED), (2, 120, RED)) == [1, 2]


def test_of_two_lost_people_the_one_who_looks_alike_comes_back():
    clip = Clip()
    seen(clip, (1, 100, RED), (2, 125, BLUE))
    clip.wait(5)
    assert clip.show((3, 100, BLUE), (4, 125, RED)) == [2, 1]


def test_of_two_who_look_alike_the_nearer_one_comes_back():
    clip = Clip()
    seen(clip, (1, 100, RED), (2, 160, RED))
    clip.wait(10)
    assert clip.show((3, 150, RED)) == [2]
    assert clip.show((3, 150, RED), (4, 95, RED)) == [2, 1]


def test_the_tracker_may_find_its_own_way_back_later():
    """Two tracks of the tracker that claim one identity, one after the other: it stays with the first who took it."""
    clip = Clip()
    seen(clip, (1, 100, RED))
    clip.wait(3)
    assert seen(clip, (2, 100, RED)) == [1]
    assert clip.show((1, 130, BLUE), (2, 100, RED)) == [2, 1]


def test_the_camera_carries_the_lost_along():
    """While somebody is hidden the camera turns by 30 pixels a picture: 300 in all, five heights."""
    for motion, our_id in ((still(), 2), ([[1, 0, 30], [0, 1, 0]], 1)):
        clip = Clip()
        seen(clip, (1, 100, RED))
        for _ in range(9):
            clip.show(motion=motion)
        assert clip.show((2, 400, RED), motion=motion) == [our_id]


def test_a_look_is_learnt_slowly_and_not_from_a_crowd():
    clip = Clip()
    seen(clip, (1, 100, RED))
    # Somebody blue stands before the red one for long: the box shows blue.
    for _ in range(60):
        clip.show((2, 104, BLUE), (1, 100, BLUE))
    clip.wait(5)
    assert clip.show((3, 100, RED)) == [1]

    alone = Clip()
    seen(alone, (1, 100, RED))
    seen(alone, (1, 100, BLUE), times=60)
    alone.wait(5)
    assert alone.show((3, 100, RED)) == [2]
    assert alone.show((3, 100, RED), (4, 104, BLUE)) == [2, 1]


def test_reset_forgets_everybody():
    clip = Clip()
    seen(clip, (5, 100, RED), (6, 200, GREEN))
    clip.relinker.reset()
    clip.index = 0
    assert clip.show((6, 200, GREEN)) == [1]


def test_nobody():
    found = Relinker().update(tracks(), np.zeros((8, 8, 3), np.uint8), 0.0, still())
    assert len(found) == 0
    assert found.ids.dtype == np.int64
    assert found.xyxy.shape == (0, 4)


class WideBox:
    """A person at x 100 to 120 whose track 1 lives on in a weak box, while the tracker starts track 2."""

    def __init__(self):
        self.relinker = Relinker(start=0.3)
        self.image = np.full((200, 640, 3), 90, np.uint8)
        self.index = 0

    def show(self, *rows):
        """Rows are (track, x0, y0, x1, y1, score). Our ids by the tracker's scores."""
        found = self.relinker.update(tracks(*rows), self.image, self.index / RATE, still())
        self.index += 1
        return {
            round(score, 2): i for score, i in zip(found.scores.tolist(), found.ids.tolist(), strict=True)
        }


RIGHT = (100, 20, 120, 80)


@pytest.mark.parametrize(
    ("weak", "is_taken_over"),
    [
        ((80, 10, 130, 84, 0.2), True),
        ((80, 10, 130, 84, 0.3), False),  # not weak: a person
        ((80, 0, 130, 95, 0.2), False),  # 95 pixels to 60: an adult, and a child in front
        ((105, 10, 155, 84, 0.2), True),  # holds 15 of 20 columns
        ((106, 10, 156, 84, 0.2), False),
    ],
)
def test_a_better_box_inside_a_weak_one_takes_the_id_over(weak, is_taken_over):
    scene = WideBox()
    scene.show((1, *RIGHT, 0.5))
    scene.show((1, *weak))
    expected = {0.4: 1} if is_taken_over else {0.4: 2, weak[-1]: 1}
    assert scene.show((1, *weak), (2, *RIGHT, 0.4)) == expected
    assert scene.show((1, *weak), (2, *RIGHT, 0.4)) == expected


def test_whose_box_was_weak_is_somebody_else_once_it_is_strong():
    scene = WideBox()
    scene.show((1, *RIGHT, 0.5))
    wide = 80, 10, 130, 84
    assert scene.show((1, *wide, 0.2), (2, *RIGHT, 0.4)) == {0.4: 1}
    assert scene.show((1, *wide, 0.2), (2, 100, 20, 120, 80, 0.25)) == {
        0.25: 1
    }  # the right one may be weak now
    assert scene.show((1, *wide, 0.35), (2, *RIGHT, 0.4)) == {0.35: 2, 0.4: 1}


def test_two_weak_boxes_give_a_stranger_one_id():
    scene = WideBox()
    scene.show((1, *RIGHT, 0.5), (3, 82, 20, 102, 80, 0.6))
    weak = (1, 80, 10, 130, 84, 0.2), (3, 78, 10, 130, 84, 0.25)
    assert scene.show(*weak, (2, *RIGHT, 0.4)) == {0.25: 2, 0.4: 1}


def both(clip, colour=RED, x=104):
    """A person with two boxes, the second one a track of its own; then the first one ends."""
    seen(clip, (1, 100, colour))
    assert clip.show((1, 100, colour), (2, x, colour)) == [1, 2]
    return [clip.show((2, x, colour))[0] for _ in range(4)]


def test_a_persons_second_box_carries_the_id_on_when_the_first_one_ends():
    clip = Clip()
    assert both(clip) == [2, 2, 1, 1]
    assert clip.show((1, 300, BLUE)) == [3]  # the first box's track, elsewhere: somebody else


def test_who_looks_otherwise_is_no_heir():
    clip = Clip()
    seen(clip, (1, 100, RED))
    clip.show((1, 100, RED), (2, 104, BLUE))
    assert seen(clip, (2, 104, BLUE), times=5) == [2]


def test_a_child_before_an_adult_is_no_heir():
    clip = Clip()
    seen(clip, (1, 100, RED, 140))
    clip.show((1, 100, RED, 140), (2, 104, RED, 60))
    assert seen(clip, (2, 104, RED, 60), times=5) == [2]
