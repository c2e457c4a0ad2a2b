import numpy as np
import pytest

from posecli.detect.stream import detect_marked, detect_people, every_nth
from posecli.types import Boxes

from .helpers import boxes, frame


class Counting:
    """Finds one box, as wide as the picture's first value."""

    def __init__(self):
        self.batches = []

    def detect(self, images):
        self.batches.append(len(images))
        return [boxes((0, 0, int(image[0, 0, 0]) + 1, 5, 0.5)) for image in images]


@pytest.mark.parametrize(("count", "batches"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_every_picture_gets_its_own_boxes(count, batches):
    frames = [frame(i, image=np.full((8, 8, 3), i, np.uint8)) for i in range(count)]
    detector = Counting()
    result = list(detect_people(iter(frames), detector, batch_size=4))
    assert detector.batches == batches
    assert [f.index for f, _ in result] == list(range(count))
    assert [found.xyxy[0, 2] for _, found in result] == [i + 1 for i in range(count)]


def test_no_more_than_a_batch_is_read_ahead():
    taken = 0

    def frames():
        nonlocal taken
        for i in range(20):
            taken += 1
            yield frame(i)

    for given_back, (_, found) in enumerate(detect_people(frames(), Counting(), batch_size=4)):
        assert isinstance(found, Boxes)
        assert taken - given_back <= 4


@pytest.mark.parametrize(
    ("length", "every", "looked_at"),
    [(0, 3, []), (1, 3, [0]), (3, 3, [0, 2]), (4, 3, [0, 3]), (8, 3, [0, 3, 6, 7]), (4, 1, [0, 1, 2, 3])],
)
def test_every_nth_picture_and_the_last_are_looked_at(length, every, looked_at):
    marked = list(every_nth((frame(i) for i in range(length)), every))
    assert [f.index for f, _ in marked] == list(range(length))
    assert [f.index for f, is_looked_at in marked if is_looked_at] == looked_at


@pytest.mark.parametrize(("every", "ahead"), [(1, 0), (3, 1)])
def test_only_a_choice_takes_a_look_ahead(every, ahead):
    taken = []
    frames = (taken.append(i) or frame(i) for i in range(9))
    for given_back, _ in enumerate(every_nth(frames, every)):
        assert len(taken) <= given_back + 1 + ahead


def test_only_marked_pictures_are_detected():
    """A batch counts all pictures, so that as many are held as ever; one without a marked picture asks nobody."""
    frames = [frame(i, image=np.full((8, 8, 3), i, np.uint8)) for i in range(12)]
    detector = Counting()
    result = list(detect_marked(every_nth(frames, 5), detector, 4))
    assert detector.batches == [1, 1, 2]  # 0, 5, 10 and 11
    assert [f.index for f, _ in result] == list(range(12))
    assert {f.index: boxes.xyxy[0, 2] for f, boxes in result if boxes is not None} == {
        0: 1,
        5: 6,
        10: 11,
        11: 12,
    }
    assert list(detect_marked(((f, False) for f in frames[:2]), detector, 4)) == [
        (f, None) for f in frames[:2]
    ]
    assert detector.batches == [1, 1, 2]
