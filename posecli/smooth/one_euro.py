"""The one-euro filter: causal, so that it works live; steady at rest, quick in motion.

Shapes: T frames, K keypoints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posecli.smooth.filter import check
from posecli.smooth.trajectory import Float64Array, Trajectory


@dataclass(frozen=True, kw_only=True, slots=True)
class OneEuro:
    """Exponential smoothing whose cut-off rises with the keypoint's speed (Casiez, Roussel and Vogel, CHI 2012).

    Speeds are those of the keypoint in the plane, in heights of the person's box a second: the same parameters serve
    a person near the camera and one far away.
    """

    name: ClassVar[str] = "one-euro"
    summary: ClassVar[str] = "for live use, since it never looks ahead; lags a little"

    min_cutoff: float = 1.0  # Hz, at rest
    beta: float = 50.0  # Hz for each box height a second
    d_cutoff: float = 1.0  # Hz, of the speed's own smoothing

    def __post_init__(self) -> None:
        check(0 < self.min_cutoff < 1e6, self.name, f"min_cutoff must be above 0 Hz, not {self.min_cutoff}")
        check(0 < self.d_cutoff < 1e6, self.name, f"d_cutoff must be above 0 Hz, not {self.d_cutoff}")
        check(0 <= self.beta < 1e6, self.name, f"beta must be from 0 to a million, not {self.beta}")

    @property
    def reach(self) -> None:
        return None  # all frames before; in a stream it has its own way (posecli.smooth.stream)

    def apply(self, track: Trajectory) -> Trajectory:
        points_TK2 = track.points_TK2.copy()
        state = OneEuroState(self)
        for row in range(len(track)):
            if row and track.steps_T[row] != track.steps_T[row - 1] + 1:
                state = OneEuroState(self)
            points_TK2[row] = state.step(track.times_T[row], track.heights_T[row], track.points_TK2[row])
        return track.with_points(points_TK2)


class OneEuroState:
    """What the filter remembers of one person. A keypoint that is not known is forgotten."""

    def __init__(self, parameters: OneEuro) -> None:
        self._parameters = parameters
        self._time_s = math.nan
        self._points_K2: Float64Array | None = None
        self._velocity_K2: Float64Array | None = None

    def step(self, time_s: float, height: float, points_K2: Float64Array) -> Float64Array:
        """The smoothed keypoints of the next frame. (K, 2) pixels; height: of the box, pixels."""
        last_K2, last_velocity_K2 = self._points_K2, self._velocity_K2
        elapsed, self._time_s = time_s - self._time_s, time_s
        if last_K2 is None or last_velocity_K2 is None:
            self._points_K2, self._velocity_K2 = points_K2, np.zeros_like(points_K2)
            return points_K2
        velocity_K2 = (points_K2 - last_K2) / elapsed
        velocity_K2 = _blend(last_velocity_K2, velocity_K2, _alpha(self._parameters.d_cutoff, elapsed))
        speed_K1 = np.linalg.norm(velocity_K2, axis=-1, keepdims=True) / max(height, 1.0)
        cutoff_K1 = self._parameters.min_cutoff + self._parameters.beta * speed_K1
        smoothed_K2 = _blend(last_K2, points_K2, _alpha(cutoff_K1, elapsed))
        is_new_K2 = np.isnan(last_K2)
        self._points_K2 = np.where(is_new_K2, points_K2, smoothed_K2)
        self._velocity_K2 = np.where(is_new_K2, 0.0, velocity_K2)
        return self._points_K2


def _alpha(cutoff: Float64Array | float, elapsed: float) -> Float64Array | float:
    """The new value's share in exponential smoothing (the paper's equation for alpha)."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * elapsed))


def _blend(last: Float64Array, new: Float64Array, alpha: Float64Array | float) -> Float64Array:
    return alpha * new + (1 - alpha) * last
