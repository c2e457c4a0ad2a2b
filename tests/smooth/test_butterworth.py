"""The Butterworth filter against its frequency response, in closed form and by scipy."""

import numpy as np
import pytest
from scipy.signal import butter, sosfreqz

from posecli.errors import UsageError
from posecli.smooth.butterworth import Butterworth
from tests.smooth.people import filtered


def response(frequency, cutoff, order, rate):
    """Amplitude of a digital low pass with this cut-off and -3 dB there, run once forth and once back."""
    warped = np.tan(np.pi * frequency / rate) / np.tan(np.pi * cutoff / rate)
    # One pass of order n / 2 whose square is down to 1 / sqrt(2) at warped = 1.
    return 1 / (1 + (np.sqrt(2) - 1) * warped**order)


@pytest.mark.parametrize("order", [2, 4, 8])
@pytest.mark.parametrize("frequency", [1.0, 4.0, 6.0, 9.0])
def test_a_sine_is_damped_as_the_formula_says(order, frequency):
    times = np.arange(1000) / 50
    wave = np.sin(2 * np.pi * frequency * times + 0.3)
    out = filtered(Butterworth(cutoff=6, order=order), wave, times=times)
    middle = slice(300, 700)
    expected = response(frequency, 6, order, 50) * wave
    np.testing.assert_allclose(out[middle], expected[middle], atol=1e-6)  # in phase, too


def test_the_cut_off_is_at_minus_3_db():
    assert response(6.0, 6.0, 4, 50) == pytest.approx(1 / np.sqrt(2))


def test_it_is_scipys_filter_twice():
    """By the frequency response of the sections that scipy designs for the corrected cut-off."""
    times = np.arange(400) / 30
    wave = np.cos(2 * np.pi * 3 * times)
    corrected = np.arctan(np.tan(np.pi * 5 / 30) / (np.sqrt(2) - 1) ** 0.25) * 30 / np.pi
    _, gain = sosfreqz(butter(2, corrected, fs=30, output="sos"), worN=[3], fs=30)
    out = filtered(Butterworth(cutoff=5, order=4), wave, times=times)
    np.testing.assert_allclose(out[150:250], np.abs(gain) ** 2 * wave[150:250], atol=1e-6)


@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_a_straight_line_stays_one_however_short(count):
    line = 3.0 + 7 * np.arange(count)
    np.testing.assert_allclose(filtered(Butterworth(cutoff=6), line), line, atol=1e-3)


def test_a_single_frame_is_left_alone():
    assert filtered(Butterworth(), [5.0]).tolist() == [5.0]


def test_uneven_times_are_the_real_ones():
    """Slow movement passes, fast shaking does not, though the frames are at random times."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.03, 600))
    slow, fast = 50 * np.sin(2 * np.pi * 0.7 * times), 5 * np.sin(2 * np.pi * 15 * times)
    out = filtered(Butterworth(cutoff=5), slow + fast, times=times)
    middle = slice(100, 500)
    assert np.abs(out - slow)[middle].max() < 1  # of 5
    # By the frames' numbers the same movement would have another frequency at every moment.
    assert np.abs(filtered(Butterworth(cutoff=5), slow, times=times) - slow)[middle].max() < 0.1


def test_times_rounded_to_milliseconds_count_as_even():
    wave = np.sin(np.arange(200))
    exact = np.arange(200) / 30
    even = filtered(Butterworth(), wave, times=exact)
    np.testing.assert_allclose(filtered(Butterworth(), wave, times=exact.round(3)), even, atol=1e-3)


def test_a_cut_off_that_the_frame_rate_cannot_show():
    values = np.random.default_rng(0).normal(0, 9, 30)
    with pytest.warns(UserWarning, match=r"10 frames/s show nothing faster than the cutoff of 6 Hz"):
        found = filtered(Butterworth(cutoff=6), values, times=np.arange(30) / 10)
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    "parameters", [{"order": 3}, {"order": 0}, {"order": 18}, {"cutoff": 0}, {"cutoff": -1}]
)
def test_impossible_parameters(parameters):
    with pytest.raises(UsageError, match="filter butterworth: "):
        Butterworth(**parameters)
