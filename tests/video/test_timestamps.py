"""Mending timestamps."""

from fractions import Fraction

import pytest

from posecli.video.timestamps import PresentationClock


@pytest.mark.parametrize(
    ("given", "expected", "mended"),
    [
        ([0, 100, 133, 500], [0, 100, 133, 500], 0),  # good ones pass, evenly spaced or not
        ([None, None, None], [0, 40, 80], 3),  # none at all: by the rate
        ([10, None, 90], [10, 50, 90], 1),  # one missing
        ([0, 40, 40, 80], [0, 40, 41, 80], 1),  # one repeated: those after it keep their own
        ([0, 40, 80, 70, 120], [0, 40, 80, 81, 120], 1),  # one out of order
        # A second recording joined to the first: it goes on from there, with its own spacing.
        ([0, 1000, 2000, 0, 50, 100], [0, 1000, 2000, 2040, 2090, 2140], 3),
    ],
)
def test_mending(given, expected, mended):
    clock = PresentationClock(Fraction(1, 1000), Fraction(25), 0)
    assert [clock.stamp(pts) for pts in given] == expected
    assert clock.mended == mended


def test_seconds_count_from_the_start_of_the_stream():
    clock = PresentationClock(Fraction(1, 90_000), Fraction(30), 126_000)
    assert clock.seconds(clock.stamp(129_000)) == pytest.approx(1 / 30)


def test_leading_frames_move_the_start():
    clock = PresentationClock(Fraction(1, 1000), Fraction(25), 80)
    assert [clock.seconds(clock.stamp(pts)) for pts in (0, 40, 80)] == [0.0, 0.04, 0.08]
