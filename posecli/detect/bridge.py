"""Tracks made whole, with a bounded look-ahead: gaps filled, false alarms and doubles left out.

Terms: a track's *sightings* are the pictures that the tracker reports it on. A *stretch* is a run of
sightings without a break longer than the look-ahead; every stretch is judged for itself, so that nothing of
the past needs to be kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from posecli.types import FloatArray, Frame, Tracks

# A filled box is scored with the lower of its neighbours' scores times this: our choice, not measured.
FILLED_SCORE_FACTOR = 0.9
MAX_GAP = 5  # pictures; docs/tracking.md has the measurement
MIN_HITS = 3
DUPLICATE_IOU = 0.8


def bridge_gaps(
    stream: Iterable[tuple[Frame, Tracks]],
    max_gap: int,
    *,
    every: int = 1,
    min_hits: int = MIN_HITS,
    duplicate_iou: float = DUPLICATE_IOU,
) -> Iterator[tuple[Frame, Tracks]]:
    """The same pictures in the same order, with the tracks mended. Ids stay; rows are in order of id.

    Look-ahead: max_gap + (min_hits - 1) * every pictures, so that a track may miss max_gap of them and still get
    its hits. So many pictures are held, and one more. At the end it shrinks to the pictures that are left.

    1. False alarms. A stretch is reported from its first sighting that has min_hits sightings within the
       look-ahead, itself included (or one on every picture left that was looked at, where those are fewer than
       min_hits).
    2. Doubles. Of two tracks, the one whose stretch began later (on the same picture: the higher id) is left
       out on a picture where their IoU exceeds duplicate_iou, if it does so on every sighting of that track
       in the look-ahead.
    3. Gaps of at most max_gap pictures between two sightings are filled by linear interpolation of the
       corners over time; the score is the lower of the two, times FILLED_SCORE_FACTOR where the picture was
       looked at in vain. A gap after a sighting that was left out stays open.

    Args:
        stream: pictures in order of time with their tracks; an id occurs once on a picture.
        max_gap: the longest gap to fill, pictures; 0 fills none. gap_to_bridge(every) is a good choice.
        every: the detector looked at the pictures whose index is a multiple of it, and at the last.
        min_hits: the sightings that make a person; 1 drops nobody.
    """
    if max_gap < 0 or min_hits < 1 or every < 1:
        raise ValueError(
            f"max_gap {max_gap} must not be negative, nor min_hits {min_hits} or every {every} below 1"
        )
    bridge = _Bridge(max_gap, every, min_hits, duplicate_iou)
    for position, (frame, tracks) in enumerate(stream):
        bridge.window.append(_Picture(position, frame, tracks, frame.index % every == 0))
        if len(bridge.window) > bridge.look_ahead:
            yield bridge.pop()
    if bridge.window:
        bridge.window[-1].is_looked_at = True
    while bridge.window:
        yield bridge.pop()


def gap_to_bridge(every: int) -> int:
    """The longest gap to fill, pictures, where the detector looks at every so many: it may look in vain once."""
    return max(MAX_GAP, 2 * every - 1)


class _Picture:
    """A picture in the window, its sightings by id."""

    def __init__(self, position: int, frame: Frame, tracks: Tracks, is_looked_at: bool) -> None:
        self.position = position
        self.frame = frame
        self.is_looked_at = is_looked_at
        self.sightings: dict[int, tuple[FloatArray, float]] = {
            int(i): (box, float(score))
            for i, box, score in zip(tracks.ids, tracks.xyxy, tracks.scores, strict=True)
        }


@dataclass(slots=True)
class _Stretch:
    """What is remembered of a track's current stretch."""

    first: int  # position of its first sighting
    last: _Picture  # its latest sighting
    is_confirmed: bool = False
    is_left_out: bool = False  # the latest sighting was a double


class _Bridge:
    def __init__(self, max_gap: int, every: int, min_hits: int, duplicate_iou: float) -> None:
        self.max_gap = max_gap
        self.min_hits = min_hits
        self.duplicate_iou = duplicate_iou
        self.look_ahead = max_gap + (min_hits - 1) * every
        self.window: deque[_Picture] = deque()  # the picture to be judged, and those ahead
        self.stretches: dict[int, _Stretch] = {}

    def pop(self) -> tuple[Frame, Tracks]:
        """Judge the oldest picture of the window and let it go."""
        head = self.window[0]
        self._observe(head)
        people = {}
        for track_id in head.sightings:
            stretch = self.stretches[track_id]
            stretch.is_left_out = stretch.is_confirmed and self._is_double(track_id, head)
            if stretch.is_confirmed and not stretch.is_left_out:
                people[track_id] = head.sightings[track_id]
        people |= self._filled(head)
        self.window.popleft()
        return head.frame, _to_tracks(people)

    def _observe(self, head: _Picture) -> None:
        self.stretches = {
            track_id: stretch
            for track_id, stretch in self.stretches.items()
            if head.position - stretch.last.position <= self.look_ahead + 1
        }
        hits_needed = min(self.min_hits, sum(picture.is_looked_at for picture in self.window))
        for track_id in head.sightings:
            stretch = self.stretches.setdefault(track_id, _Stretch(head.position, head))
            stretch.last = head
            hits = sum(track_id in picture.sightings for picture in self.window)
            stretch.is_confirmed |= hits >= hits_needed

    def _is_double(self, track_id: int, head: _Picture) -> bool:
        age = self.stretches[track_id].first, track_id
        return any(
            self.stretches[other].is_confirmed
            and (self.stretches[other].first, other) < age
            and self._always_overlap(track_id, other)
            for other in head.sightings
        )

    def _always_overlap(self, track_id: int, other: int) -> bool:
        return all(
            other in picture.sightings
            and iou(picture.sightings[track_id][0], picture.sightings[other][0]) > self.duplicate_iou
            for picture in self.window
            if track_id in picture.sightings
        )

    def _filled(self, head: _Picture) -> dict[int, tuple[FloatArray, float]]:
        filled = {}
        for track_id, stretch in self.stretches.items():
            if track_id in head.sightings or not stretch.is_confirmed or stretch.is_left_out:
                continue
            following = next((picture for picture in self.window if track_id in picture.sightings), None)
            if following and following.position - stretch.last.position - 1 <= self.max_gap:
                filled[track_id] = _interpolate(track_id, stretch.last, head, following)
        return filled


def _interpolate(track_id: int, before: _Picture, at: _Picture, after: _Picture) -> tuple[FloatArray, float]:
    (box_before, score_before), (box_after, score_after) = (
        before.sightings[track_id],
        after.sightings[track_id],
    )
    fraction = _fraction(before, at, after)
    box = ((1 - fraction) * box_before + fraction * box_after).astype(np.float32)
    doubt = FILLED_SCORE_FACTOR if at.is_looked_at else 1.0
    return box, doubt * min(score_before, score_after)


def _fraction(before: _Picture, at: _Picture, after: _Picture) -> float:
    """How far `at` lies on the way, by time; by count where the times do not increase."""
    if before.frame.time_s < at.frame.time_s < after.frame.time_s:
        return (at.frame.time_s - before.frame.time_s) / (after.frame.time_s - before.frame.time_s)
    return (at.position - before.position) / (after.position - before.position)


def iou(a: FloatArray, b: FloatArray) -> float:
    """Intersection over union of two boxes (4,); 0 where neither has an area."""
    width, height = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]))
    intersection = float(width * height)
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - intersection
    return intersection / union if union > 0 else 0.0


def _to_tracks(people: dict[int, tuple[FloatArray, float]]) -> Tracks:
    if not people:
        return Tracks.empty()
    ids = sorted(people)
    return Tracks(
        np.array(ids, np.int64),
        np.stack([people[i][0] for i in ids]).astype(np.float32),
        np.array([people[i][1] for i in ids], np.float32),
    )
