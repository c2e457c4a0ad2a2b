"""A recording taken apart into trajectories, one a person, and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from posecli.errors import PosecliError
from posecli.smooth.trajectory import Float64Array, Trajectory, are_known
from posecli.types import FloatArray, IntArray, Poses, SmoothedPoses, Tracks


@dataclass(frozen=True, slots=True)
class PersonRows:
    """Where a person is found in a list of frames."""

    places: IntArray  # (T,) in the list: all from the person's first to their last frame
    people: IntArray  # (T,) rows of each frame's arrays, -1 where they are not seen


def find_people(frames: Sequence[Poses]) -> dict[int, PersonRows]:
    """Track id to where the person is. An id that two people of a frame share belongs to nobody."""
    seen: dict[int, dict[int, int]] = {}
    shared: set[int] = set()
    for place, poses in enumerate(frames):
        for row, track_id in enumerate(poses.tracks.ids.tolist()):
            rows = seen.setdefault(track_id, {})
            if place in rows:
                shared.add(track_id)
            rows[place] = row
    return {
        track_id: PersonRows(
            places := np.arange(min(rows), max(rows) + 1),
            np.array([rows.get(place, -1) for place in places.tolist()], np.int64),
        )
        for track_id, rows in seen.items()
        if track_id not in shared
    }


def trajectory(
    frames: Sequence[Poses], times: Float64Array, steps: IntArray, track_id: int, rows: PersonRows
) -> Trajectory:
    """One person of the frames.

    Args:
        times: (frames,) seconds.
        steps: (frames,) the frames' numbers.
    """
    count, keypoints = len(rows.places), frames[0].keypoints.shape[1]
    points_TK2, scores_TK = np.full((count, keypoints, 2), np.nan), np.full((count, keypoints), np.nan)
    heights_T = np.full(count, np.nan)
    for i, (place, row) in enumerate(zip(rows.places.tolist(), rows.people.tolist(), strict=True)):
        if row >= 0:
            poses = frames[place]
            points_TK2[i], scores_TK[i] = poses.keypoints[row], poses.scores[row]
            heights_T[i] = poses.tracks.xyxy[row, 3] - poses.tracks.xyxy[row, 1]
    is_seen = rows.people >= 0
    times_T = times[rows.places]
    heights_T = np.interp(times_T, times_T[is_seen], heights_T[is_seen])
    not_filled_TK = np.zeros((count, keypoints), bool)
    return Trajectory(track_id, steps[rows.places], times_T, heights_T, points_TK2, scores_TK, not_filled_TK)


def clock(frames: Sequence[Poses], frame_rate: float | None) -> tuple[Float64Array, IntArray]:
    """(seconds, number) of each frame: its own time, else its index over the frame rate.

    Numbers are indices in units of the smallest usual distance, so that a recording of every third frame has no gaps.

    Raises:
        PosecliError: neither times nor a rate are known, or the times do not increase.
    """
    indices = np.array([poses.frame_index for poses in frames], np.int64)
    times = np.array([poses.time_s for poses in frames], np.float64)
    if not np.isfinite(times).all():
        if not frame_rate:
            raise PosecliError("the poses tell neither the frames' times nor a frame rate: give --frame-rate")
        times = indices / frame_rate
    for earlier, later in pairwise(range(len(frames))):
        if times[later] <= times[earlier]:
            raise PosecliError(
                f"frame {indices[later]} is at {times[later]:.3f} s and frame {indices[earlier]} before it at "
                f"{times[earlier]:.3f} s: times must increase"
            )
    step = max(1, int(np.median(np.diff(indices)))) if len(frames) > 1 else 1
    return times, np.round(indices / step).astype(np.int64)


@dataclass(slots=True)
class Changes:
    """What becomes of each frame's people."""

    frames: Sequence[Poses]
    smoothed: list[SmoothedPoses] = field(init=False)

    def __post_init__(self) -> None:
        self.smoothed = [unchanged(poses) for poses in self.frames]

    def put(self, rows: PersonRows, raw: Trajectory, after: Trajectory) -> None:
        """Takes over a trajectory. What was known stays known: a keypoint that the filters dropped is as it was."""
        is_lost_TK = ~are_known(after.points_TK2)
        points_TK2 = np.where(is_lost_TK[..., None], raw.points_TK2, after.points_TK2).astype(np.float32)
        scores_TK = np.where(is_lost_TK, raw.scores_TK, after.scores_TK).astype(np.float32)
        filled_TK = after.filled_TK & ~is_lost_TK
        for i, (place, row) in enumerate(zip(rows.places.tolist(), rows.people.tolist(), strict=True)):
            poses = self.smoothed[place]
            if row < 0:
                if not filled_TK[i].any():
                    continue
                poses, row = self._insert(rows, i, after), -1
            poses.keypoints[row], poses.scores[row] = points_TK2[i], scores_TK[i]
            poses.filled[row] = filled_TK[i]

    def _insert(self, rows: PersonRows, i: int, track: Trajectory) -> SmoothedPoses:
        """A person who was not seen becomes the last of the frame, in a box between those before and after."""
        seen = np.flatnonzero(rows.people >= 0)
        before, after = seen[seen < i][-1], seen[seen > i][0]
        share = (track.times_T[i] - track.times_T[before]) / (track.times_T[after] - track.times_T[before])
        (box_a, score_a), (box_b, score_b) = (self._box(rows, int(j)) for j in (before, after))
        poses = self.smoothed[int(rows.places[i])]
        added = Tracks(
            np.array([track.track_id], np.int64),
            ((1 - share) * box_a + share * box_b).astype(np.float32)[None],
            np.array([min(score_a, score_b)], np.float32),
        )
        self.smoothed[int(rows.places[i])] = poses = _with_person(poses, added)
        return poses

    def _box(self, rows: PersonRows, i: int) -> tuple[FloatArray, float]:
        tracks = self.frames[int(rows.places[i])].tracks
        return tracks.xyxy[rows.people[i]], float(tracks.scores[rows.people[i]])


def unchanged(poses: Poses) -> SmoothedPoses:
    """Poses with themselves as the raw ones; the arrays that filters change are copies."""
    return SmoothedPoses(
        poses.frame_index,
        poses.time_s,
        poses.tracks,
        poses.keypoints.copy(),
        poses.scores.copy(),
        poses.name,
        raw_keypoints=poses.keypoints,
        raw_scores=poses.scores,
        filled=np.zeros(poses.scores.shape, bool),
    )


def _with_person(poses: SmoothedPoses, added: Tracks) -> SmoothedPoses:
    keypoints = poses.keypoints.shape[1]
    nothing = np.full((1, keypoints, 2), np.nan, np.float32)
    return replace(
        poses,
        tracks=Tracks(
            np.concatenate([poses.tracks.ids, added.ids]),
            np.concatenate([poses.tracks.xyxy, added.xyxy]),
            np.concatenate([poses.tracks.scores, added.scores]),
        ),
        keypoints=np.concatenate([poses.keypoints, nothing]),
        scores=np.concatenate([poses.scores, nothing[..., 0]]),
        raw_keypoints=np.concatenate([poses.raw_keypoints, nothing]),
        raw_scores=np.concatenate([poses.raw_scores, nothing[..., 0]]),
        filled=np.concatenate([poses.filled, np.zeros((1, keypoints), bool)]),
    )
