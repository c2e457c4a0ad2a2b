"""Gap filling: keypoints between two known ones, by interpolation over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from posecli.smooth.filter import check
from posecli.smooth.trajectory import Float64Array, Trajectory, are_known
from posecli.types import IntArray

Method = Literal["linear", "pchip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """Fills gaps of at most max_gap frames. A filled keypoint is marked, and has the lower score of its gap's ends.

    `linear` draws a straight line; `pchip` the monotone cubic of Fritsch and Carlson (1980), which goes on in the
    direction in which the keypoint was moving and never overshoots.
    """

    name: ClassVar[str] = "fill"
    summary: ClassVar[str] = "fills short gaps by interpolation, and marks what it filled"

    max_gap: int = 5  # frames
    method: Method = "pchip"

    def __post_init__(self) -> None:
        check(1 <= self.max_gap <= 10_000, self.name, f"max_gap must be from 1 to 10000, not {self.max_gap}")
        check(self.method in ("linear", "pchip"), self.name, f"method is linear or pchip, not {self.method}")

    @property
    def reach(self) -> int | None:
        # A cubic's slopes depend on the next known keypoints too, however far they are.
        return self.max_gap if self.method == "linear" else None

    def apply(self, track: Trajectory) -> Trajectory:
        points_TK2, scores_TK = track.points_TK2.copy(), track.scores_TK.copy()
        filled_TK = track.filled_TK.copy()
        for joint in range(points_TK2.shape[1]):
            known = np.flatnonzero(are_known(track.points_TK2[:, joint]))
            gaps = self._gaps(track.steps_T, known)
            if not gaps:
                continue
            curve = self._curve(track.times_T[known], track.points_TK2[known, joint])
            for before, after in gaps:
                rows = slice(before + 1, after)
                points_TK2[rows, joint] = curve(track.times_T[rows])
                scores_TK[rows, joint] = np.fmin(*track.scores_TK[[before, after], joint])
                filled_TK[rows, joint] = True
        return replace(track, points_TK2=points_TK2, scores_TK=scores_TK, filled_TK=filled_TK)

    def _gaps(self, steps_T: IntArray, known: IntArray) -> list[tuple[int, int]]:
        """The known rows before and after each gap that is short enough."""
        missing = np.diff(steps_T[known]) - 1
        return [
            (int(known[i]), int(known[i + 1]))
            for i in np.flatnonzero((missing > 0) & (missing <= self.max_gap))
        ]

    def _curve(self, times: Float64Array, points: Float64Array) -> Callable[[Float64Array], Float64Array]:
        from scipy.interpolate import PchipInterpolator, make_interp_spline

        if self.method == "linear":
            return make_interp_spline(times, points, k=1)
        return PchipInterpolator(times, points)
