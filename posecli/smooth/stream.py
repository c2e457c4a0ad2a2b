"""Filters while the poses come: what they give here is what they give on the whole file.

A filter that looks at a few frames on either side delays the poses by so many. The one-euro filter looks at none that
are still to come, and delays nothing. Memory does not grow with the clip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from posecli.errors import UsageError
from posecli.smooth.chain import Chain
from posecli.smooth.filter import Filter
from posecli.smooth.one_euro import OneEuro, OneEuroState
from posecli.smooth.recording import find_people, trajectory, unchanged
from posecli.smooth.trajectory import Float64Array, are_known
from posecli.types import Poses, SmoothedPoses


def check_streams(chain: Chain) -> None:
    """
    Raises:
        UsageError: a filter of the chain needs the whole clip.
    """
    for each in chain.filters:
        if each.reach is None and not isinstance(each, OneEuro):
            raise UsageError(
                f"filter {each.name} needs the whole clip: use posecli smooth on the finished file, or another filter"
            )


def smooth_stream(frames: Iterable[Poses], chain: Chain) -> Iterator[SmoothedPoses]:
    """The same frames, filtered, as posecli.smooth.smooth has them; only, nobody is added to a frame.

    Args:
        frames: in order, none left out between them, with times that increase.

    Raises:
        UsageError: a filter of the chain needs the whole clip.
    """
    check_streams(chain)
    return _smoothed(frames, chain)


def _smoothed(frames: Iterable[Poses], chain: Chain) -> Iterator[SmoothedPoses]:
    originals: deque[Poses] = deque()  # of the frames that the filters are holding
    seen: deque[Float64Array] = deque()

    def gated() -> Iterator[Poses]:
        for poses in frames:
            is_unsure = (poses.scores < chain.min_score)[..., None]
            keypoints = np.where(is_unsure, np.float32(np.nan), poses.keypoints)
            originals.append(poses)
            seen.append(keypoints)
            yield replace(poses, keypoints=keypoints)

    stream = gated()
    for each in chain.filters:
        stream = _one_euro(stream, each) if isinstance(each, OneEuro) else _windowed(stream, each)
    for poses in stream:
        original, before = originals.popleft(), seen.popleft()
        is_known = are_known(poses.keypoints)
        yield replace(
            unchanged(original),
            keypoints=np.where(is_known[..., None], poses.keypoints, original.keypoints),
            scores=np.where(is_known, poses.scores, original.scores),
            filled=is_known & ~are_known(before),
        )


def _one_euro(frames: Iterator[Poses], parameters: OneEuro) -> Iterator[Poses]:
    states: dict[int, OneEuroState] = {}
    for poses in frames:
        ids = poses.tracks.ids.tolist()
        # Who is not on this frame is forgotten: after a gap the filter starts anew.
        states = {track_id: states.get(track_id) or OneEuroState(parameters) for track_id in ids}
        heights = poses.tracks.xyxy[:, 3] - poses.tracks.xyxy[:, 1]
        keypoints = poses.keypoints.copy()
        for row, track_id in enumerate(ids):
            if ids.count(track_id) == 1:
                points_K2 = poses.keypoints[row].astype(np.float64)
                keypoints[row] = states[track_id].step(poses.time_s, float(heights[row]), points_K2)
        yield replace(poses, keypoints=keypoints)


def _windowed(frames: Iterator[Poses], each: Filter) -> Iterator[Poses]:
    """Every frame with the answer that its window gives; near the ends the window is what there is of it."""
    reach = each.reach or 0
    window: deque[Poses] = deque(maxlen=2 * reach + 1)
    waiting = 0  # frames of the window that have not been answered
    for poses in frames:
        window.append(poses)
        waiting += 1
        if waiting > reach:
            yield _answer(window, len(window) - waiting, each)
            waiting -= 1
    for left in range(waiting, 0, -1):
        yield _answer(window, len(window) - left, each)


def _answer(window: Sequence[Poses], place: int, each: Filter) -> Poses:
    """The frame at a place of the window, with the people's keypoints filtered over the window."""
    times = np.array([poses.time_s for poses in window], np.float64)
    steps = np.arange(len(window))
    asked = window[place]
    keypoints, scores = asked.keypoints.copy(), asked.scores.copy()
    for track_id, rows in find_people(window).items():
        i = place - int(rows.places[0])
        if 0 <= i < len(rows.places) and (row := int(rows.people[i])) >= 0:
            after = each.apply(trajectory(window, times, steps, track_id, rows))
            keypoints[row], scores[row] = after.points_TK2[i], after.scores_TK[i]
    return replace(asked, keypoints=keypoints, scores=scores)
