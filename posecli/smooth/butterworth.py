"""Butterworth's low pass, run forth and back so that nothing lags: the usual filter of movement science."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posecli.smooth.filter import check
from posecli.smooth.trajectory import Float64Array, Segment, Trajectory, by_segment

# Times that differ by less than this share of a frame from even ones are even: containers round them.
EVEN_TOLERANCE = 0.1
# Uneven frames are resampled this much denser than they are.
OVERSAMPLING = 2
# How far a segment is continued at its ends: until what happens there is forgotten, in periods of the cut-off...
SETTLING_PERIODS = 3
# ... yet no further than its own length, or these many frames.
LEAST_CONTINUED = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Butterworth:
    """A zero-phase low pass of this order: a filter of half of it, forth and back (scipy.signal.sosfiltfilt).

    At the cut-off the *result* has 1/sqrt(2) of the amplitude (-3 dB): each pass gets a cut-off higher by
    (sqrt(2) - 1) ** (-1 / order), as in Winter, Biomechanics and Motor Control of Human Movement, for two passes. A
    segment is continued at both ends by its point reflections. Frames at uneven times are resampled to even ones by
    monotone cubics, and back. Where frames are too few to show anything faster than the cut-off, there is nothing to
    take out, and a warning says so.
    """

    name: ClassVar[str] = "butterworth"
    summary: ClassVar[str] = "low pass without lag; takes out everything faster than the cut-off"

    cutoff: float = 6.0  # Hz
    order: int = 4  # of the result: twice that of one pass

    def __post_init__(self) -> None:
        check(0 < self.cutoff < 1e6, self.name, f"cutoff must be above 0 Hz, not {self.cutoff}")
        check(self.order in range(2, 17, 2), self.name, f"order must be even, from 2 to 16, not {self.order}")

    @property
    def reach(self) -> None:
        return None

    def apply(self, track: Trajectory) -> Trajectory:
        return by_segment(track, self._filter, shortest=2)

    def _filter(self, segment: Segment) -> Float64Array:
        times_T = segment.times_T
        rate = (len(times_T) - 1) / (times_T[-1] - times_T[0])
        if self.cutoff >= rate / 2:
            warnings.warn(
                f"filter {self.name}: {rate:.3g} frames/s show nothing faster than the cutoff of {self.cutoff:g} Hz; "
                "left as it is",
                stacklevel=1,
            )
            return segment.points_TJ2
        even_T = np.linspace(times_T[0], times_T[-1], len(times_T))
        if np.abs(times_T - even_T).max() * rate < EVEN_TOLERANCE:
            return self._filter_even(segment.points_TJ2, rate)
        dense = np.linspace(times_T[0], times_T[-1], OVERSAMPLING * (len(times_T) - 1) + 1)
        resampled = _resample(times_T, segment.points_TJ2, dense)
        return _resample(dense, self._filter_even(resampled, rate * OVERSAMPLING), times_T)

    def _filter_even(self, points_TJ2: Float64Array, rate: float) -> Float64Array:
        from scipy.signal import butter, sosfiltfilt

        # In the analogue filter that the bilinear transform makes digital: there the correction is exact.
        analogue = math.tan(math.pi * self.cutoff / rate) * (math.sqrt(2) - 1) ** (-1 / self.order)
        sections = butter(self.order // 2, math.atan(analogue) * rate / math.pi, fs=rate, output="sos")
        settled = math.ceil(SETTLING_PERIODS * rate / self.cutoff)
        added = min(settled, max(LEAST_CONTINUED, len(points_TJ2)))
        padding = ((added, added), (0, 0), (0, 0))
        continued = np.pad(points_TJ2, padding, mode="reflect", reflect_type="odd")
        return np.asarray(sosfiltfilt(sections, continued, axis=0, padlen=0)[added:-added])


def _resample(times_T: Float64Array, points_TJ2: Float64Array, wanted: Float64Array) -> Float64Array:
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(times_T, points_TJ2, axis=0)(wanted))
