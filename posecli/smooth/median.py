"""The running median: steady, and sharp where something really jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from posecli.smooth.filter import check_window
from posecli.smooth.trajectory import (
    Float64Array,
    Segment,
    Trajectory,
    by_segment,
    centred_windows,
    median_of,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Median:
    """x and y become the medians of their windows; near a segment's end the window is what there is of it."""

    name: ClassVar[str] = "median"
    summary: ClassVar[str] = "the running median"

    window: int = 5  # frames, odd

    def __post_init__(self) -> None:
        check_window(self.window, self.name)

    @property
    def reach(self) -> int:
        return self.window // 2

    def apply(self, track: Trajectory) -> Trajectory:
        return by_segment(track, self._median, reach=self.reach)

    def _median(self, segment: Segment) -> Float64Array:
        return median_of(centred_windows(segment.points_TJ2, self.window))
