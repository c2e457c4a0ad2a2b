"""Second boxes of a person, and people who only stand close, as boxes on a line."""

import numpy as np
import pytest

from posecli.detect.doubles import ALONE, Doubles, shared


def box(x, width=20, top=0, height=60):
    return np.array([x, top, x + width, top + height], np.float32)


def alone(doubles, younger, times):
    """The younger one without the older one; what is told on each picture."""
    return [doubles.update({2: younger}, set()) for _ in range(times)]


def test_the_younger_box_takes_over_once_when_the_older_one_has_gone():
    doubles = Doubles()
    assert doubles.update({1: box(0)}, {1}) == []
    assert doubles.update({1: box(0), 2: box(4)}, {2}) == []
    assert alone(doubles, box(4), ALONE + 2) == [[]] * (ALONE - 1) + [[(2, 1)], [], []]


def test_a_part_of_a_person_counts_by_its_own_size():
    doubles = Doubles()
    doubles.update({1: box(0, height=30)}, {1})
    doubles.update({1: box(0, height=30), 2: box(0)}, {2})
    assert alone(doubles, box(0), ALONE)[-1] == [(2, 1)]


@pytest.mark.parametrize(
    ("positions", "is_double"),
    [
        ([4, 4], True),
        ([13, 4], True),  # 7 of 20 columns shared when first seen
        ([15, 4], False),  # 5 of 20
        ([4, 17, 4], False),  # apart for one picture: two people
        ([4, 15, 4], True),
        ([4, 9], False),  # 11 of 20 when last seen
    ],
)
def test_only_who_was_never_apart_is_a_double(positions, is_double):
    doubles = Doubles()
    doubles.update({1: box(0)}, {1})
    for index, x in enumerate(positions):
        doubles.update({1: box(0), 2: box(x)}, {2} if index == 0 else set())
    told = alone(doubles, box(4), ALONE)
    assert told[-1] == ([(2, 1)] if is_double else [])


def test_somebody_who_comes_back_in_time_is_somebody():
    doubles = Doubles()
    doubles.update({1: box(0)}, {1})
    doubles.update({1: box(0), 2: box(4)}, {2})
    alone(doubles, box(4), ALONE - 1)
    doubles.update({1: box(0), 2: box(4)}, set())
    assert alone(doubles, box(4), ALONE) == [[]] * (ALONE - 1) + [[(2, 1)]]


def test_two_newcomers_are_two_people():
    doubles = Doubles()
    doubles.update({1: box(0), 2: box(2)}, {1, 2})
    assert alone(doubles, box(2), ALONE) == [[]] * ALONE


def test_the_box_that_is_lain_on_most_is_the_first():
    doubles = Doubles()
    doubles.update({1: box(0), 3: box(12)}, {1, 3})
    doubles.update({1: box(0), 3: box(12), 2: box(10)}, {2})
    assert alone(doubles, box(10), ALONE)[-1] == [(2, 3)]


def test_the_forgotten_are_no_doubles():
    doubles = Doubles()
    doubles.update({1: box(0)}, {1})
    doubles.update({1: box(0), 2: box(4)}, {2})
    doubles.forget({1})
    assert alone(doubles, box(4), ALONE) == [[]] * ALONE


def test_shares_are_of_the_smaller_box():
    assert shared(box(0), box(10)) == pytest.approx(0.5)
    assert shared(box(0), box(0, width=5)) == shared(box(0, width=5), box(0)) == pytest.approx(1)
    assert shared(box(0), box(20)) == 0
    assert shared(box(0), box(0, width=0)) == 0
