"""What filters work on: one person's keypoints over time.

Shapes: T frames from the person's first to their last, K keypoints, J keypoints that a segment holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from posecli.types import BoolArray, IntArray

Float64Array = NDArray[np.float64]

BLOCK = 1024  # frames whose windows are in memory at once


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One person over the frames of a recording; where they are not seen, a row of NaN."""

    track_id: int
    steps_T: (
        IntArray  # the frames' numbers; neighbours differ by more than 1 where frames are missing altogether
    )
    times_T: Float64Array  # seconds, increasing
    heights_T: Float64Array  # the box's height, pixels; interpolated where the person is not seen
    points_TK2: Float64Array  # pixels, NaN where not known
    scores_TK: Float64Array  # 0..1
    filled_TK: BoolArray  # made up by interpolation

    def __len__(self) -> int:
        return len(self.steps_T)

    def with_points(self, points_TK2: Float64Array) -> Trajectory:
        return replace(self, points_TK2=points_TK2)


@dataclass(frozen=True, slots=True)
class Segment:
    """Keypoints that are known on the same unbroken run of frames."""

    times_T: Float64Array  # seconds
    heights_T: Float64Array  # pixels
    points_TJ2: Float64Array  # pixels, all finite
    scores_TJ: Float64Array  # 0..1

    def __len__(self) -> int:
        return len(self.times_T)


def by_segment(
    track: Trajectory,
    function: Callable[[Segment], Float64Array],
    *,
    shortest: int = 1,
    reach: int | None = None,
) -> Trajectory:
    """The trajectory with a function applied to every segment; what is not known stays so.

    Args:
        function: from a segment to its new points, (T, J, 2).
        shortest: segments of fewer frames are left as they are.
        reach: on how many frames before and after it a value depends. Long segments are then taken in blocks, so that
            windows over all of one never lie in memory together; None: they are taken as a whole.
    """
    points_TK2 = track.points_TK2.copy()
    for rows, joints in segments(track):
        if rows.stop - rows.start < shortest:
            continue
        for block, context in _blocks(rows, reach):
            segment = Segment(
                track.times_T[context],
                track.heights_T[context],
                track.points_TK2[context, joints],
                track.scores_TK[context, joints],
            )
            start = block.start - context.start
            points_TK2[block, joints] = function(segment)[start : start + block.stop - block.start]
    return track.with_points(points_TK2)


def _blocks(rows: slice, reach: int | None) -> Iterator[tuple[slice, slice]]:
    """Parts of the rows, each with the rows that its values depend on."""
    size = BLOCK if reach is not None else rows.stop - rows.start
    for start in range(rows.start, rows.stop, size):
        stop = min(start + size, rows.stop)
        yield (
            slice(start, stop),
            slice(max(rows.start, start - (reach or 0)), min(rows.stop, stop + (reach or 0))),
        )


def segments(track: Trajectory) -> Iterator[tuple[slice, list[int]]]:
    """Runs of rows, and the keypoints that are known on just these: filters never reach over a gap."""
    known_TK = are_known(track.points_TK2)
    breaks_T = np.flatnonzero(np.diff(track.steps_T) != 1) + 1
    joints: dict[tuple[int, int], list[int]] = defaultdict(list)
    for joint in range(known_TK.shape[1]):
        for start, stop in _runs(known_TK[:, joint], breaks_T):
            joints[start, stop].append(joint)
    return ((slice(*run), group) for run, group in joints.items())


def _runs(known_T: BoolArray, breaks: IntArray) -> Iterator[tuple[int, int]]:
    """Where known_T is true without a break: (start, stop) of each run."""
    changes = np.flatnonzero(known_T[1:] != known_T[:-1]) + 1
    edges = np.unique(np.concatenate([[0], changes, breaks, [len(known_T)]])).tolist()
    return ((start, stop) for start, stop in pairwise(edges) if start < stop and known_T[start])


def are_known(points: NDArray[np.floating]) -> BoolArray:
    """(..., 2) to (...): whether both coordinates are there."""
    return np.asarray(np.isfinite(points).all(axis=-1))


def centred_windows(values_TJ2: Float64Array, window: int) -> Float64Array:
    """(T, J, 2, window): each value with its neighbours, NaN beyond the ends."""
    margin = window // 2
    padding = ((margin, margin), *[(0, 0)] * (values_TJ2.ndim - 1))
    padded = np.pad(values_TJ2, padding, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)


def median_of(windows_W: Float64Array) -> Float64Array:
    """Over the last axis, of the numbers that are not NaN, of which there is at least one (numpy.nanmedian, faster)."""
    ordered_W = np.sort(windows_W, axis=-1)  # NaN last
    counts = np.isfinite(windows_W).sum(axis=-1, keepdims=True)
    low, high = (
        np.take_along_axis(ordered_W, middle, axis=-1) for middle in ((counts - 1) // 2, counts // 2)
    )
    return np.asarray((low + high)[..., 0] / 2)
