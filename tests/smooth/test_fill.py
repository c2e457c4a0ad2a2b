"""Gap filling against straight lines, and against what is left open."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from posecli.errors import UsageError
from posecli.smooth.fill import Fill
from tests.smooth.people import filtered, trajectory

NAN = np.nan


@pytest.mark.parametrize("method", ["linear", "pchip"])
def test_a_line_is_filled_with_itself_and_marked(method):
    after = Fill(method=method).apply(trajectory([1.0, NAN, NAN, 4.0, 5.0], scores=[0.9, NAN, 0.1, 0.5, 0.7]))
    np.testing.assert_allclose(after.points_TK2[:, 0, 0], [1, 2, 3, 4, 5])
    assert after.filled_TK[:, 0].tolist() == [False, True, True, False, False]
    assert after.scores_TK[:, 0].tolist() == [0.9, 0.5, 0.5, 0.5, 0.7]


@pytest.mark.parametrize("method", ["linear", "pchip"])
def test_only_gaps_that_are_short_enough_and_have_two_ends(method):
    values = [NAN, 1.0, NAN, NAN, 4.0, NAN, NAN, NAN, 8.0, NAN]
    found = filtered(Fill(max_gap=2, method=method), values)
    assert np.isnan(found).tolist() == [True, False, False, False, False, True, True, True, False, True]


def test_lines_are_over_time():
    found = filtered(Fill(method="linear"), [0.0, NAN, 10.0], times=[0.0, 0.3, 0.4])
    assert found[1] == pytest.approx(7.5)


def test_the_cubic_is_scipys_and_does_not_overshoot():
    values = np.array([0.0, 1.0, NAN, NAN, 9.0, 9.0, 9.0])
    known = ~np.isnan(values)
    times = np.arange(7) / 25
    found = filtered(Fill(), values)
    np.testing.assert_allclose(found, PchipInterpolator(times[known], values[known])(times))
    assert found.max() == 9


def test_frames_that_are_missing_altogether_count():
    """From frame 1 to frame 6 there are four missing, whose rows the recording does not have (or only one)."""
    values, steps = [0.0, 1.0, NAN, 6.0], [0, 1, 2, 6]
    times = np.array(steps) / 25
    assert np.isnan(filtered(Fill(max_gap=3), values, steps=steps, times=times)[2])
    assert filtered(Fill(max_gap=4, method="linear"), values, steps=steps, times=times)[2] == pytest.approx(2)


@pytest.mark.parametrize("parameters", [{"max_gap": 0}, {"method": "cubic"}])
def test_impossible_parameters(parameters):
    with pytest.raises(UsageError, match="filter fill: "):
        Fill(**parameters)
