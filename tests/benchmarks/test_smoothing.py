"""What benchmarks/smoothing.py counts, on a person whose figures are known."""

import numpy as np
import pytest

from benchmarks.smoothing import Clip, label_jitter, match, row, second_differences
from posecli.data.people import Person
from tests.smooth.people import BOX, poses


def clip():
    """x = i^2, y = 2 i^2 pixels on 12 frames, in a box 200 pixels high; the labels are 15 pixels to the right of it."""
    frames = [poses(i, {3: float(i**2)}) for i in range(12)]
    offset = np.array([15, 0], np.float32)
    people = {
        i: Person(BOX, frame.keypoints[0] + offset, np.ones(17, np.float32), True)
        for i, frame in enumerate(frames)
    }
    people[5].labelled[:4] = 0
    return Clip(frames, 25.0, [match(people, frames)])


def test_jitter_is_the_second_difference_of_a_parabola():
    found = clip()
    expected = 2 * np.sqrt(5) / 200
    assert second_differences(found.tracks[0], found.frames) == pytest.approx(np.full(10 * 17, expected))
    assert label_jitter(found) == pytest.approx(np.full(10 * 17 - 3 * 4, expected))


def test_the_figures_of_a_row():
    found = clip()
    cells = row("none", [found], [found.frames]).strip("| ").split(" | ")
    # 15 of 200 pixels away: within 0.1 and not within 0.05.
    assert cells == ["none", "0.0000", "1.0000", "0.0750", f"{2 * np.sqrt(5) / 200:.4f}", "0.0000"]


def test_who_is_somewhere_else_is_not_matched():
    frames = [poses(0, {1: 0.0})]
    far = Person(BOX + 150, frames[0].keypoints[0], np.ones(17, np.float32), True)
    assert match({0: far}, frames) == {}
