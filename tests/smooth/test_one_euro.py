"""The one-euro filter against the paper's equations, worked step by step."""

import math

import numpy as np
import pytest

from posecli.errors import UsageError
from posecli.smooth.one_euro import OneEuro
from tests.smooth.people import filtered, trajectory


def test_two_steps_by_hand():
    """With cut-offs such that every share is simple: 2 pi fc Te = 1 makes alpha 1/2.

    Te = 1/(2 pi) s, fc_min = 1 Hz, d_cutoff = 1 Hz, beta = 0: x = 0, 8, 8 gives 0, 4, 6.
    """
    times = np.arange(3) / (2 * math.pi)
    found = filtered(OneEuro(min_cutoff=1, beta=0, d_cutoff=1), [0.0, 8.0, 8.0], times=times)
    np.testing.assert_allclose(found, [0, 4, 6])


def test_speed_raises_the_cut_off_by_hand():
    """As above with y = 2 x, a box of sqrt(5) / pi pixels, beta = 1.

    The velocity is 8 * 2 pi * (1, 2), half of it after smoothing; its length 8 sqrt(5) pi px/s is 8 pi^2 heights a
    second. The cut-off is then 1 + 8 pi^2 Hz, alpha (1 + 8 pi^2) / (2 + 8 pi^2).
    """
    times = np.arange(2) / (2 * math.pi)
    # heights below a pixel count as one, so everything is a hundred times as large
    found = filtered(
        OneEuro(min_cutoff=1, beta=1), [0.0, 800.0], times=times, height=100 * math.sqrt(5) / math.pi
    )
    alpha = (1 + 8 * math.pi**2) / (2 + 8 * math.pi**2)
    np.testing.assert_allclose(found, [0, 800 * alpha])


def reference(values, times, min_cutoff, beta, d_cutoff, height):
    """Algorithm 1 of the paper for a point that moves by (x, 2 x), with scalars."""

    def alpha(cutoff, elapsed):
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau / elapsed)

    hat, hat_d, out = values[0], 0.0, [values[0]]
    for i in range(1, len(values)):
        elapsed = times[i] - times[i - 1]
        a_d = alpha(d_cutoff, elapsed)
        hat_d = a_d * (values[i] - hat) / elapsed + (1 - a_d) * hat_d
        a = alpha(min_cutoff + beta * math.sqrt(5) * abs(hat_d) / height, elapsed)
        hat = a * values[i] + (1 - a) * hat
        out.append(hat)
    return out


def test_a_long_run_at_uneven_times():
    rng = np.random.default_rng(1)
    times, values = np.cumsum(rng.uniform(0.01, 0.1, 200)), np.cumsum(rng.normal(0, 4, 200))
    found = filtered(OneEuro(min_cutoff=1.5, beta=3, d_cutoff=0.7), values, times=times, height=150)
    np.testing.assert_allclose(found, reference(values, times, 1.5, 3, 0.7, 150))


def test_a_person_twice_as_large_is_smoothed_the_same():
    values = np.cumsum(np.random.default_rng(2).normal(0, 4, 50))
    one = filtered(OneEuro(), values, height=100)
    np.testing.assert_allclose(filtered(OneEuro(), 2 * values, height=200), 2 * one)


def test_after_a_gap_it_starts_anew():
    values = np.array([0.0, 10.0, np.nan, 30.0, 50.0])
    found = filtered(OneEuro(), values)
    assert np.isnan(found[2])
    assert found[3] == 30
    np.testing.assert_allclose(found[3:], 30 + 2 * filtered(OneEuro(), [0.0, 10.0], height=100))
    missing = filtered(OneEuro(), values[[0, 1, 3, 4]], steps=[0, 1, 3, 4], times=np.array([0, 1, 3, 4]) / 25)
    np.testing.assert_allclose(missing, found[[0, 1, 3, 4]])


def test_joints_do_not_mix():
    values = np.random.default_rng(3).normal(0, 9, (20, 3))
    values[4, 1] = np.nan
    together = OneEuro().apply(trajectory(values)).points_TK2[..., 0]
    for joint in range(3):
        np.testing.assert_allclose(together[:, joint], filtered(OneEuro(), values[:, joint]))


@pytest.mark.parametrize("parameters", [{"min_cutoff": 0}, {"beta": -1}, {"d_cutoff": 0}])
def test_impossible_parameters(parameters):
    with pytest.raises(UsageError, match="filter one-euro: "):
        OneEuro(**parameters)
