"""Savitzky and Golay's filter against scipy's, and against polynomials fitted by numpy."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

from posecli.errors import UsageError
from posecli.smooth.savitzky_golay import SavitzkyGolay
from tests.smooth.people import filtered

RNG = np.random.default_rng(0)
VALUES = RNG.normal(0, 9, 40)
UNEVEN = np.cumsum(RNG.uniform(0.01, 0.1, 40))


@pytest.mark.parametrize(("window", "order"), [(5, 2), (7, 2), (9, 3), (11, 4), (3, 0)])
def test_it_is_scipys_away_from_the_ends(window, order):
    found = filtered(SavitzkyGolay(window=window, order=order), VALUES)
    inside = slice(window // 2, -(window // 2))
    np.testing.assert_allclose(found[inside], savgol_filter(VALUES, window, order)[inside])


@pytest.mark.parametrize("weighted", [False, True])
def test_every_value_is_that_of_a_fit_at_the_real_times(weighted):
    scores = RNG.uniform(0.05, 1, 40)
    kind = SavitzkyGolay(window=7, order=2, weighted=weighted)
    found = filtered(kind, VALUES, times=UNEVEN, scores=scores)
    for i in range(40):
        near = slice(max(0, i - 3), i + 4)
        weights = np.sqrt(scores[near]) if weighted else None  # polyfit's weights are not squared
        fit = np.polyfit(UNEVEN[near] - UNEVEN[i], VALUES[near], 2, w=weights)
        assert found[i] == pytest.approx(fit[-1])


@pytest.mark.parametrize("count", [3, 4, 6])
def test_a_parabola_stays_one_however_short(count):
    values = np.arange(count) ** 2.0
    np.testing.assert_allclose(filtered(SavitzkyGolay(), values), values, atol=1e-9)


def test_what_is_too_short_for_a_fit_is_left_alone():
    assert filtered(SavitzkyGolay(order=2), [1.0, 5.0]).tolist() == [1.0, 5.0]


def test_a_keypoint_of_no_score_counts_next_to_nothing():
    values, scores = np.zeros(9), np.ones(9)
    values[4], scores[4] = 100, 0
    assert abs(filtered(SavitzkyGolay(weighted=True), values, scores=scores)[4]) < 1
    assert abs(filtered(SavitzkyGolay(weighted=False), values, scores=scores)[4]) > 30


def test_scores_that_are_not_known_count_in_full():
    plain = filtered(SavitzkyGolay(weighted=False), VALUES)
    found = filtered(SavitzkyGolay(weighted=True), VALUES, scores=np.full(40, np.nan))
    np.testing.assert_allclose(found, plain)


@pytest.mark.parametrize("parameters", [{"window": 6}, {"window": 5, "order": 3}, {"order": -1}])
def test_impossible_parameters(parameters):
    with pytest.raises(UsageError, match="filter savitzky-golay: "):
        SavitzkyGolay(**parameters)
