"""The running median against scipy's."""

import numpy as np
from scipy.ndimage import median_filter

from posecli.smooth.median import Median
from tests.smooth.people import filtered


def test_it_is_scipys():
    values = np.random.default_rng(0).normal(0, 9, 60)
    found = filtered(Median(window=5), values)
    np.testing.assert_allclose(found[2:-2], median_filter(values, 5)[2:-2])


def test_the_ends_by_hand():
    found = filtered(Median(window=5), [1.0, 9.0, 2.0, 8.0])
    assert found.tolist() == [2.0, 5.0, 5.0, 8.0]  # of 1 9 2; of 1 9 2 8, twice; of 9 2 8


def test_it_does_not_reach_over_a_gap():
    found = filtered(Median(window=3), [1.0, 2.0, np.nan, 50.0, 60.0])
    np.testing.assert_array_equal(found, [1.5, 1.5, np.nan, 55.0, 55.0])
