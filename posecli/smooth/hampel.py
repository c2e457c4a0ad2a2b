"""Hampel's filter: outliers, and nothing else, become the median of their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posecli.smooth.filter import check, check_window
from posecli.smooth.trajectory import (
    Float64Array,
    Segment,
    Trajectory,
    by_segment,
    centred_windows,
    median_of,
)

# The standard deviation of a normal distribution in its median absolute deviations.
SIGMA_PER_MAD = 1.4826
# What is never an outlier, in box heights: still joints have a deviation near 0, and would lose every movement.
LEAST_DEVIATION = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Hampel:
    """A keypoint is an outlier if x or y is more than threshold deviations from the window's median.

    The deviation is 1.4826 times the median absolute deviation (Hampel, 1974), and at least a hundredth of the box's
    height divided by the threshold, so that nothing nearer than that hundredth is touched. Near a segment's end the
    window is what there is of it.
    """

    name: ClassVar[str] = "hampel"
    summary: ClassVar[str] = "replaces outliers by the median of their neighbours"

    window: int = 5  # frames, odd
    threshold: float = 3.0  # standard deviations

    def __post_init__(self) -> None:
        check_window(self.window, self.name)
        check(
            0 <= self.threshold < 1e6,
            self.name,
            f"threshold must be from 0 to a million, not {self.threshold}",
        )

    @property
    def reach(self) -> int:
        return self.window // 2

    def apply(self, track: Trajectory) -> Trajectory:
        return by_segment(track, self._replace, shortest=3, reach=self.reach)

    def _replace(self, segment: Segment) -> Float64Array:
        windows_TJ2W = centred_windows(segment.points_TJ2, self.window)
        median_TJ2 = median_of(windows_TJ2W)
        deviation_TJ2 = SIGMA_PER_MAD * median_of(np.abs(windows_TJ2W - median_TJ2[..., None]))
        least_T11 = LEAST_DEVIATION * segment.heights_T[:, None, None]
        limit_TJ2 = np.maximum(self.threshold * deviation_TJ2, least_T11)
        is_outlier_TJ1 = (np.abs(segment.points_TJ2 - median_TJ2) > limit_TJ2).any(axis=-1, keepdims=True)
        return np.where(is_outlier_TJ1, median_TJ2, segment.points_TJ2)
