"""The benchmark of the defaults: which frames stand in at a clip's end, and figures by hand."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import defaults
from posecli.data.people import Person, Picture
from posecli.types import Boxes


@pytest.mark.parametrize(
    ("name", "rest", "frames"),
    [
        ("the nearest frame again", 1, [4, 4, 4, 4, 4]),
        ("the nearest frame again", 3, [2, 3, 4, 4, 4]),
        ("mirrored in time", 1, [4, 3, 2, 1, 0]),
        ("mirrored in time", 3, [2, 3, 4, 3, 2]),
        ("the frames before, again", 3, [0, 1, 2, 3, 4]),
    ],
)
def test_frames_that_stand_in(name, rest, frames):
    assert defaults.ENDS[name](5, rest) == frames


def person(*box):
    return Person(np.array(box, np.float32), np.zeros((17, 2), np.float32), np.zeros(17, np.float32), True)


def test_boxes_by_hand():
    """Two people, one of them found; a weak box on the other, and one on nobody."""
    picture = Picture(Path("a.jpg"), "coco", True, (person(0, 0, 20, 60), person(50, 50, 60, 70)))
    corners = np.array([[0, 0, 20, 60], [50, 50, 60, 70], [80, 0, 90, 20]], np.float32)
    boxes = Boxes(corners, np.array([0.9, 0.12, 0.5], np.float32))
    strict = defaults.of_boxes([(boxes, 100)], [picture], 0.3)
    assert (strict["recall"], strict["small"], strict["large"], strict["precision"]) == (0.5, 0.0, 1.0, 0.5)
    loose = defaults.of_boxes([(boxes, 100)], [picture], 0.1)
    assert loose["recall"] == 1.0
    assert loose["precision"] == pytest.approx(2 / 3)
    assert loose["AP50"] == strict["AP50"]


def test_tables_are_markdown():
    text = defaults.table([{"a": 1, "b": 0.25}, {"a": 2, "b": float("nan")}])
    assert text.splitlines() == ["| a | b |", "| --- | --- |", "| 1 | 0.250 |", "| 2 | nan |"]
