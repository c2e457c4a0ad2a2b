"""Someone who was lost and comes back is the same person: by looks and place.

A tracker follows motion. It gives up on people who are hidden for long, or whom the detector misses while the camera
turns, and takes them for strangers when they come back. Here everyone is remembered for a few seconds, at the place
where the camera's motion has carried them since. A stranger who looks like one of them, has the size, and is near
enough for the time that passed, gets the old identity back, on the first picture already.

Nor does a person get a second identity because a better box comes: a weak box that is too wide can carry a track on for
long, and then the right box starts another track inside it. And where a person had two boxes, and the older one ends,
the younger one carries the identity on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from posecli.detect.appearance import appearance
from posecli.detect.camera import follow
from posecli.detect.doubles import Doubles
from posecli.metrics.boxes import iou
from posecli.types import FloatArray, Image, Tracks

# docs/tracking.md has the measurements.
MEMORY_SECONDS = 3.0
MIN_SIGHTINGS = 3  # who is seen less often is taken for a false alarm, and does not come back
MIN_LIKENESS = 0.75  # Bhattacharyya coefficient
MAX_RATIO = 1.6  # of the two heights
REACH = 0.5  # how far away one may appear at once, heights
SPEED = 1.0  # and how much farther with every second
DISTANCE_WEIGHT = 0.1  # what a height of distance counts against likeness, where there is a choice
LEARNING_RATE = 0.1  # share of the newest look in the remembered one
HELD = 0.75  # share of a stranger's box that lies in a weak box, from which the two are one person's
HELD_RATIO = 1.5  # of their two heights: a child before an adult is somebody
HEIR_RATIO = 2.2  # of the heights of a person's two boxes: a whole and a half
CROWDED_IOU = 0.3  # a box that overlaps another one so far shows somebody else too: no look is learnt from it


@dataclass(frozen=True, slots=True)
class _Sighting:
    row: int  # in the tracker's word
    track: int  # the tracker's id
    box: FloatArray  # (4,)
    score: float
    look: FloatArray
    crowded: bool


@dataclass(slots=True)
class _Person:
    track: int  # the tracker's latest id
    box: FloatArray  # (4,) where last seen, carried along with the camera
    look: FloatArray  # averaged
    time_s: float  # when last seen
    sightings: int = 0


class Relinker:
    """Identities over a tracker's. They count from 1 in order of appearance.

    Args:
        memory_s: how long people out of sight are remembered, seconds.
        start: the score from which a box starts a track; the tracker's.
    """

    def __init__(self, memory_s: float = MEMORY_SECONDS, start: float = 0.0) -> None:
        self.look: Callable[[Image, FloatArray], FloatArray] = appearance  # of a box (4,) of a picture
        self._memory_s = memory_s
        self._start = start
        self._doubles = Doubles()
        self.reset()

    def reset(self) -> None:
        """Forget everybody: ids begin at 1 again."""
        self._people: dict[int, _Person] = {}  # by our id
        self._ids: dict[int, int] = {}  # the tracker's id: ours, of the people who are remembered
        self._doubles.reset()
        self._count = 0

    def update(self, tracks: Tracks, image: Image, time_s: float, motion: FloatArray) -> Tracks:
        """The boxes under our ids, rows by id. A weak box whose person has a better one now is left out.

        Args:
            tracks: the tracker's word on a picture, each of its ids once.
            image: the picture.
            time_s: its time, not before the last one's.
            motion: (2, 3) the camera's since the last one (posecli.detect.camera).
        """
        self._pass_time(time_s, motion)
        sightings = _sightings(tracks, partial(self.look, image))
        for stranger, our_id in self._better_boxes(sightings):
            self._rename(stranger.track, our_id)
        # No weak box starts a track: this one's went to a better box. It is nobody until it is strong again.
        sightings = [s for s in sightings if s.track in self._ids or s.score >= self._start]
        for stranger, our_id in self._recognised(sightings, time_s):
            self._rename(stranger.track, our_id)
        for sighting in sightings:
            self._learn(sighting, time_s)
        for heir, our_id in self._heirs(sightings):
            self._rename(heir.track, our_id)
            self._learn(heir, time_s)
        ids = np.array([self._ids[sighting.track] for sighting in sightings], np.int64)
        rows = np.array([sighting.row for sighting in sightings], np.int64)
        order = np.argsort(ids)
        return Tracks(ids[order], tracks.xyxy[rows[order]], tracks.scores[rows[order]])

    def _pass_time(self, time_s: float, motion: FloatArray) -> None:
        self._people = {i: p for i, p in self._people.items() if time_s - p.time_s <= self._memory_s}
        self._ids = {track: i for track, i in self._ids.items() if i in self._people}
        self._doubles.forget(self._people)
        for person in self._people.values():
            person.box = follow(motion, person.box[None])[0]

    def _rename(self, track: int, our_id: int) -> None:
        # The tracker may find its own way back to the person later: then that track is the stranger.
        self._ids.pop(self._people[our_id].track, None)
        self._ids[track] = our_id

    def _better_boxes(self, sightings: list[_Sighting]) -> Iterator[tuple[_Sighting, int]]:
        """Strangers in a known person's weak box, and who they are, everyone once."""
        strangers = [s for s in sightings if s.track not in self._ids and s.score >= self._start]
        weak = [s for s in sightings if s.track in self._ids and s.score < self._start]
        for stranger in strangers:
            for known in weak:
                if known.track in self._ids and _holds(known.box, stranger.box):
                    yield stranger, self._ids[known.track]
                    break

    def _recognised(self, sightings: list[_Sighting], time_s: float) -> Iterator[tuple[_Sighting, int]]:
        """Strangers and who they are, the likeliest pair first, everyone once."""
        present = {self._ids.get(sighting.track) for sighting in sightings}
        strangers = [sighting for sighting in sightings if sighting.track not in self._ids]
        lost = [(i, p) for i, p in self._people.items() if i not in present and p.sightings >= MIN_SIGHTINGS]
        pairs = [
            (rating, row, our_id)
            for row, stranger in enumerate(strangers)
            for our_id, person in lost
            if (rating := _rating(stranger, person, time_s - person.time_s)) is not None
        ]
        rows, ids = set(), set()
        for _, row, our_id in sorted(pairs, reverse=True):
            if row not in rows and our_id not in ids:
                rows.add(row)
                ids.add(our_id)
                yield strangers[row], our_id

    def _heirs(self, sightings: list[_Sighting]) -> Iterator[tuple[_Sighting, int]]:
        """Second boxes of people whose first one has ended, and who they are."""
        by_id = {self._ids[sighting.track]: sighting for sighting in sightings}
        new = {our_id for our_id in by_id if self._people[our_id].sightings == 1}
        boxes = {our_id: sighting.box for our_id, sighting in by_id.items()}
        for younger, older in self._doubles.update(boxes, new):
            if older in self._people and _is_heir(by_id[younger], self._people[older]):
                yield by_id[younger], older

    def _learn(self, sighting: _Sighting, time_s: float) -> None:
        if sighting.track not in self._ids:
            self._count += 1
            self._ids[sighting.track] = self._count
            self._people[self._count] = _Person(sighting.track, sighting.box, sighting.look, time_s)
        person = self._people[self._ids[sighting.track]]
        if not sighting.crowded:
            look = (1 - LEARNING_RATE) * person.look + LEARNING_RATE * sighting.look
            person.look = look / np.linalg.norm(look)
        person.track, person.box, person.time_s = sighting.track, sighting.box, time_s
        person.sightings += 1


def _sightings(tracks: Tracks, look: Callable[[FloatArray], FloatArray]) -> list[_Sighting]:
    columns = tracks.ids.tolist(), tracks.xyxy, tracks.scores.tolist()
    return [
        # A box's overlap with itself is the one that does not count.
        _Sighting(row, track, box, score, look(box), bool((iou(box, tracks.xyxy) > CROWDED_IOU).sum() > 1))
        for row, (track, box, score) in enumerate(zip(*columns, strict=True))
    ]


def _holds(outer: FloatArray, inner: FloatArray) -> bool:
    """Whether the inner box lies in the outer one, which is not much higher."""
    width, height = np.maximum(0, np.minimum(outer[2:], inner[2:]) - np.maximum(outer[:2], inner[:2]))
    inner_width, inner_height = inner[2:] - inner[:2]
    is_inside = float(width * height) >= HELD * float(inner_width * inner_height)
    return is_inside and float(outer[3] - outer[1]) <= HELD_RATIO * float(inner_height)


def _is_heir(second: _Sighting, person: _Person) -> bool:
    """Whether a box that lay on a person's may be the same person's."""
    heights = [float(box[3] - box[1]) for box in (second.box, person.box)]
    alike = float(second.look @ person.look) >= MIN_LIKENESS and max(heights) <= HEIR_RATIO * min(heights)
    return alike and person.sightings >= MIN_SIGHTINGS


def _rating(stranger: _Sighting, person: _Person, elapsed_s: float) -> float | None:
    """How likely the two are one, the higher the likelier; None where they can't be."""
    likeness = float(stranger.look @ person.look)
    heights = [float(box[3] - box[1]) for box in (stranger.box, person.box)]
    if likeness < MIN_LIKENESS or max(heights) > MAX_RATIO * min(heights):
        return None
    distance = float(np.linalg.norm(_centre(stranger.box) - _centre(person.box))) / max(heights)
    return likeness - DISTANCE_WEIGHT * distance if distance <= REACH + SPEED * elapsed_s else None


def _centre(box: FloatArray) -> FloatArray:
    return np.asarray((box[:2] + box[2:]) / 2, np.float32)
