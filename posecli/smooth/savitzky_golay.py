"""Savitzky and Golay's filter: a polynomial fitted to the neighbours, at their real times.

Shapes: T frames, J keypoints, W frames of a window, P coefficients of a polynomial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posecli.smooth.filter import check, check_window
from posecli.smooth.trajectory import Float64Array, Segment, Trajectory, by_segment, centred_windows

LEAST_WEIGHT = 0.01  # a window of nothing but bad scores still has a fit


@dataclass(frozen=True, kw_only=True, slots=True)
class SavitzkyGolay:
    """Each keypoint becomes the value of the polynomial that fits its window best (Savitzky and Golay, 1964).

    At even times and away from the ends this is scipy.signal.savgol_filter. Unlike it, the fit is made at the frames'
    real times, may weigh keypoints by their scores, and uses near a segment's end what there is of the window:
    so that a value only ever depends on its window, and a stream gives what a file gives.
    """

    name: ClassVar[str] = "savitzky-golay"
    summary: ClassVar[str] = "fits a polynomial to each keypoint's neighbours; follows movements well"

    window: int = 5  # frames, odd
    order: int = 2  # the polynomial's
    weighted: bool = True  # by the keypoints' scores

    def __post_init__(self) -> None:
        check_window(self.window, self.name)
        most = min(5, self.window // 2)
        check(
            0 <= self.order <= most,
            self.name,
            f"order must be from 0 to {most} in a window of {self.window} frames, not {self.order}",
        )

    @property
    def reach(self) -> int:
        return self.window // 2

    def apply(self, track: Trajectory) -> Trajectory:
        return by_segment(track, self._fit, shortest=self.order + 1, reach=self.reach)

    def _fit(self, segment: Segment) -> Float64Array:
        """Weighted least squares around every frame at once, by the normal equations."""
        delta_TW = centred_windows(segment.times_T, self.window) - segment.times_T[:, None]
        inside_TW = np.isfinite(delta_TW)
        delta_TW = np.where(inside_TW, delta_TW, 0)
        delta_TW /= np.abs(delta_TW).max(axis=-1, keepdims=True)  # well conditioned, whatever the unit
        powers_TWP = delta_TW[..., None] ** np.arange(self.order + 1)
        weights_TJW = np.broadcast_to(inside_TW[:, None], (*segment.scores_TJ.shape, self.window))
        if self.weighted:
            scores_TJ = np.maximum(np.nan_to_num(segment.scores_TJ, nan=1.0), LEAST_WEIGHT)
            weights_TJW = np.nan_to_num(centred_windows(scores_TJ, self.window))
        values_TJ2W = np.nan_to_num(centred_windows(segment.points_TJ2, self.window))
        normal_TJPP = np.einsum("tjw,twp,twq->tjpq", weights_TJW, powers_TWP, powers_TWP)
        right_TJP2 = np.einsum("tjw,twp,tjcw->tjpc", weights_TJW, powers_TWP, values_TJ2W)
        # The window's own frame is at time 0: there the polynomial is its constant.
        return np.asarray(np.linalg.solve(normal_TJPP, right_TJP2)[:, :, 0])
