"""Hampel's filter on planted outliers, and worked by hand."""

import numpy as np
import pytest

from posecli.errors import UsageError
from posecli.smooth.hampel import Hampel
from tests.smooth.people import filtered


def test_by_hand():
    """Windows of 5 around the jump: 0 1 50 3 4 has median 3, deviations 3 2 47 0 1, whose median is 2."""
    values = [-1.0, 0.0, 1.0, 50.0, 3.0, 4.0, 5.0]
    found = filtered(Hampel(window=5, threshold=3), values, height=1)
    # 47 > 3 * 1.4826 * 2; the neighbours are within it: 1 in -1 0 1 50 3 is its median.
    assert found.tolist() == [-1, 0, 1, 3, 3, 4, 5]


def test_the_limit_is_where_it_should_be():
    limit = 3 + 3 * 1.4826 * 2
    for value, expected in ((limit - 0.01, limit - 0.01), (limit + 0.01, 3.0)):
        found = filtered(Hampel(window=5), [-1.0, 0.0, 1.0, value, 3.0, 4.0, 5.0], height=1)
        assert found[3] == pytest.approx(expected)


def test_planted_outliers_go_and_the_rest_stays():
    rng = np.random.default_rng(0)
    clean = 40 * np.sin(np.arange(300) / 10)
    places = np.arange(10, 300, 20)
    dirty = clean.copy()
    dirty[places] += rng.choice([-1, 1], len(places)) * rng.uniform(60, 200, len(places))
    found = filtered(Hampel(window=7), dirty)
    assert np.abs(found - clean)[places].max() < 15
    others = np.setdiff1d(np.arange(300), places)
    np.testing.assert_array_equal(found[others], clean[others])


def test_near_the_ends_the_window_is_what_there_is():
    assert filtered(Hampel(window=7), [90.0, 0.0, 1.0, 2.0, 1.0]).tolist() == [1.5, 0, 1, 2, 1]  # of 90 0 1 2


def test_small_steps_of_a_still_joint_are_no_outliers():
    """All but one are the same: the deviation is 0, and the step a hundredth of the box's height."""
    values = np.zeros(9)
    values[4] = 0.9
    np.testing.assert_array_equal(filtered(Hampel(), values, height=200), values)  # y: 1.8 of 200
    values[4] = 1.1
    np.testing.assert_array_equal(filtered(Hampel(), values, height=200), np.zeros(9))


@pytest.mark.parametrize("parameters", [{"window": 4}, {"window": 1}, {"threshold": -1}])
def test_impossible_parameters(parameters):
    with pytest.raises(UsageError, match="filter hampel: "):
        Hampel(**parameters)
