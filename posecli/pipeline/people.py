"""Whose poses are evaluated: people of the ground truth, of a file of boxes, or found by a detector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from posecli.data.box_lists import DatasetBoxes
from posecli.detect.protocol import Detector
from posecli.detect.stream import detect_people, track_people
from posecli.detect.tracking import Tracker
from posecli.pipeline.footage import FootageFrames
from posecli.pipeline.windows import Tracked
from posecli.types import Boxes, IntArray, Tracks

MakeTracker = Callable[[float], Tracker]  # from pictures a second


class TruePeople:
    """The ground truth's boxes and ids, with score 1; people without any labelled joint are left out."""

    def locate(self, frames: FootageFrames, keyframes: Sequence[int]) -> Iterator[Tracked]:
        for index in keyframes:
            group = frames.footage.people.get(index, ())
            people = [person for person in group if not person.crowd and person.labelled.any()]
            if people:
                ids = np.array([person.track_id for person in people], np.int64)
                boxes = np.stack([person.box for person in people])
                yield frames[index], Tracks(_distinct(ids), boxes, np.ones(len(people), np.float32))
            else:
                yield frames[index], Tracks.empty()


@dataclass(slots=True)
class BoxesOfFile:
    """A file's boxes, or those of a folder with one file a sequence.

    Args:
        boxes: the files.
        make_tracker: gives identities over all frames that have boxes; None for none. Boxes that carry them keep
            theirs.
    """

    boxes: DatasetBoxes
    make_tracker: MakeTracker | None = None

    def locate(self, frames: FootageFrames, keyframes: Sequence[int]) -> Iterator[Tracked]:
        found = self.boxes.of(frames.footage)
        if self.make_tracker is None:
            for index in keyframes:
                yield frames[index], _numbered(found.get(index, Boxes.empty()))
            return
        seen = sorted({*found, *keyframes})
        stream = ((frames[index], found.get(index, Boxes.empty())) for index in seen)
        yield from _only(keyframes, track_people(stream, self.make_tracker(frames.footage.frame_rate)))


@dataclass(slots=True)
class FoundPeople:
    """What a detector finds.

    Args:
        detector: finds them.
        chunk: how many frames it sees at once.
        make_tracker: gives identities, for which every frame is looked at; None for none, and only keyframes are.
    """

    detector: Detector
    chunk: int
    make_tracker: MakeTracker | None = None

    def locate(self, frames: FootageFrames, keyframes: Sequence[int]) -> Iterator[Tracked]:
        indices = keyframes if self.make_tracker is None else range(len(frames))
        found = detect_people((frames[index] for index in indices), self.detector, self.chunk)
        if self.make_tracker is None:
            for frame, boxes in found:
                yield frame, _numbered(boxes)
            return
        yield from _only(keyframes, track_people(found, self.make_tracker(frames.footage.frame_rate)))


def _only(keyframes: Sequence[int], stream: Iterator[Tracked]) -> Iterator[Tracked]:
    wanted = set(keyframes)
    return ((frame, tracks) for frame, tracks in stream if frame.index in wanted)


def _numbered(boxes: Boxes | Tracks) -> Tracks:
    if isinstance(boxes, Tracks):
        return Tracks(_distinct(boxes.ids), boxes.xyxy, boxes.scores)
    return Tracks(np.arange(1, len(boxes) + 1), boxes.xyxy, boxes.scores)


def _distinct(ids: IntArray) -> IntArray:
    """The ids, or where one occurs twice (stills have none: all are 0) the numbers from 1."""
    return ids if len(np.unique(ids)) == len(ids) else np.arange(1, len(ids) + 1)
