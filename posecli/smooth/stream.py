"""Filters while the poses come: what they give here is what they give on the whole file.

A filter that looks at a few frames on either side delays the poses by so many. The one-euro filter looks at none that
are still to come, and delays nothing. Memory does not grow with the clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from posecli.errors import UsageError
from posecli.smooth.chain import Chain
from posecli.smooth.filter import Filter
from posecli.smooth.one_euro import OneEuro, OneEuroState
from posecli.smooth.recording import find_people, trajectory
from posecli.smooth.trajectory import are_known
from posecli.types import Poses


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


def smooth_stream(frames: Iterable[Poses], chain: Chain) -> Iterator[Poses]:
    """The same frames, filtered. No people are added: filling is for keypoints that a person lacks.

    Args:
        frames: in order, without gaps between them, with times that increase.

    Raises:
        UsageError: a filter of the chain needs the whole clip.
    """
    check_streams(chain)
    if not chain.filters:
        return iter(frames)
    stream: Iterator[Poses] = iter(frames)
    for i, each in enumerate(chain.filters):
        min_score = 0.0 if i else chain.min_score
        stream = (
            _one_euro(stream, each, min_score)
            if isinstance(each, OneEuro)
            else _windowed(stream, each, min_score)
        )
    return stream


def _one_euro(frames: Iterator[Poses], parameters: OneEuro, min_score: float) -> Iterator[Poses]:
    states: dict[int, OneEuroState] = {}
    for poses in frames:
        # Who is not on this frame is forgotten: after a gap the filter starts anew.
        states = {
            track_id: states.get(track_id, OneEuroState(parameters)) for track_id in poses.tracks.ids.tolist()
        }
        keypoints = poses.keypoints.copy()
        for row, (track_id, box) in enumerate(zip(poses.tracks.ids.tolist(), poses.tracks.xyxy, strict=True)):
            is_unsure_K1 = (poses.scores[row] < min_score)[:, None]
            points_K2 = np.where(is_unsure_K1, np.nan, poses.keypoints[row].astype(np.float64))
            smoothed_K2 = states[track_id].step(poses.time_s, float(box[3] - box[1]), points_K2)
            keypoints[row] = np.where(np.isfinite(smoothed_K2), smoothed_K2, poses.keypoints[row])
        yield replace(poses, keypoints=keypoints)


def _windowed(frames: Iterator[Poses], each: Filter, min_score: float) -> Iterator[Poses]:
    """Every frame with the answer that its window gives; near the ends the window is what there is of it."""
    reach = each.reach or 0
    chain = Chain((each,), min_score)
    window: list[Poses] = []
    waiting = 0  # frames of the window that have not been answered
    for poses in frames:
        window = [*window, poses][-(2 * reach + 1) :]
        waiting += 1
        if waiting > reach:
            yield _answer(window, len(window) - waiting, chain)
            waiting -= 1
    for left in range(waiting, 0, -1):
        yield _answer(window, len(window) - left, chain)


def _answer(window: Sequence[Poses], place: int, chain: Chain) -> Poses:
    """The frame at a place of the window, with the people's keypoints filtered over the window."""
    times = np.array([poses.time_s for poses in window], np.float64)
    steps = np.arange(len(window))
    asked = window[place]
    keypoints, scores = asked.keypoints.copy(), asked.scores.copy()
    for track_id, rows in find_people(window).items():
        i = place - int(rows.places[0])
        if not 0 <= i < len(rows.places) or rows.people[i] < 0:
            continue
        after = chain.apply(trajectory(window, times, steps, track_id, rows))
        known_K = are_known(after.points_TK2[i])
        row = rows.people[i]
        keypoints[row, known_K], scores[row, known_K] = (
            after.points_TK2[i, known_K],
            after.scores_TK[i, known_K],
        )
    return replace(asked, keypoints=keypoints, scores=scores)
