import numpy as np
import pytest

from posecli.detect.stream import detect_people
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
