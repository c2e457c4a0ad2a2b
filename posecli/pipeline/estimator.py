"""The way of a video through posecli: reader > detector > tracker > windows > model > poses.

Every stage is a generator over the one before it, and none holds more than a bounded number of frames: memory does not
depend on the clip's length.

Batches of the detector and of the model end where a section of the video ends: what is in them never depends on
earlier sections. So an estimation that goes on from a journal gives the same numbers, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice

import torch

from posecli.detect.bridge import bridge_gaps, gap_to_bridge
from posecli.detect.file import BoxFile
from posecli.detect.protocol import Detector
from posecli.detect.stream import detect_marked, every_nth, track_people
from posecli.detect.tracking import NoTracker, Tracker
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.batches import Batches
from posecli.pipeline.duplicates import drop_duplicates
from posecli.pipeline.journal import NO_JOURNAL, Journal
from posecli.pipeline.options import Options
from posecli.pipeline.overlap import Ahead
from posecli.pipeline.windows import Slide, Tracked, Window, single_frames
from posecli.types import Boxes, Frame, Poses, Tracks


def estimate(
    frames: Iterable[Frame],
    people: Detector | BoxFile,
    tracker: Tracker,
    model: PoseModel | FlipTested,
    options: Options,
    journal: Journal = NO_JOURNAL,
    detect_every: int = 1,
) -> Iterator[Poses]:
    """Poses of every frame, in order; frames without people have none.

    Args:
        frames: in display order.
        people: finds them, or knows from a file where they are.
        tracker: gives identities; boxes that carry them already (from a file) keep theirs, and are left as they are.
            A NoTracker says that the pictures have nothing to do with each other: each is looked at by itself.
        journal: answers for the frames that an earlier run finished, and keeps those that this one finishes.
        detect_every: the detector looks at every so many frames, and at the last; between, people are where the
            bridge over gaps puts them. Above 1 it takes a detector, and a tracker with the frame rate of its looks.
    """
    if detect_every > 1 and isinstance(people, BoxFile):
        raise ValueError(f"detect_every {detect_every}: nobody is detected where a file has the boxes")
    if detect_every > 1 and isinstance(tracker, NoTracker):
        raise ValueError(f"detect_every {detect_every}: without a tracker nobody is known between two looks")
    journal.watch(tracker)
    section = options.section_of(model)
    tracked = track_people(_located(frames, people, options, section, journal, detect_every), tracker)
    if isinstance(people, BoxFile) and people.has_ids:
        return journal.keep(estimate_tracked(tracked, model, options, journal=journal))
    if isinstance(tracker, NoTracker):
        slide = single_frames
        return journal.keep(estimate_tracked(tracked, model, options, slide=slide, journal=journal))
    bridged = bridge_gaps(tracked, gap_to_bridge(detect_every), every=detect_every)
    poses = journal.keep(estimate_tracked(bridged, model, options, journal=journal))
    return drop_duplicates(poses, model.config.joints)


def estimate_tracked(
    tracked: Iterable[Tracked],
    model: PoseModel | FlipTested,
    options: Options,
    slide: Slide | None = None,
    journal: Journal = NO_JOURNAL,
) -> Iterator[Poses]:
    """Poses of frames whose people are known.

    Args:
        slide: lays the windows over the frames; None: as the options say.
        journal: answers for the windows that an earlier run finished.
    """
    batches = Batches(model, options.batch, bf16=options.bf16, reuse=options.windows == "reuse")
    length, section = options.section_of(model), 0
    for window in (slide or options.slide)(tracked, model.config.input.frames, model.output_frames):
        first = _first_answered(window)
        if first < journal.finished:
            yield from (journal.poses(window.frames[position][0]) for position in window.answered)
            continue
        if first // length != section:
            yield from batches.flush()
            section = first // length
        yield from batches.add(window)
    yield from batches.flush()


def _first_answered(window: Window) -> int:
    return window.frames[window.answered[0]][0].index


# Of a frame that the detector does not look at. As tracks they pass the tracker by: it is not asked.
_NOT_LOOKED_AT = Tracks.empty()


def _located(
    frames: Iterable[Frame],
    people: Detector | BoxFile,
    options: Options,
    section: int,
    journal: Journal,
    detect_every: int,
) -> Iterator[tuple[Frame, Boxes | Tracks]]:
    """Each frame with its boxes: the journal's, as far as it goes, then the file's or the detector's."""
    if isinstance(people, BoxFile):
        for frame, known in people.attach(frames):
            journal.turn(frame)
            yield frame, known
        return
    marked = every_nth(frames, detect_every)
    for frame, is_looked_at in islice(marked, journal.finished):
        journal.turn(frame)
        yield frame, journal.boxes(frame) if is_looked_at else _NOT_LOOKED_AT
    found = detect_marked(marked, people, options.chunk, section)
    with Ahead(found, options.chunk) if _overlaps(frames) else nullcontext(found) as located:
        for frame, boxes in located:
            journal.note(frame, Boxes.empty() if boxes is None else boxes)
            journal.turn(frame)
            yield frame, _NOT_LOOKED_AT if boxes is None else boxes


def _overlaps(frames: Iterable[Frame]) -> bool:
    """Whether the detector works ahead of the model: where frames are decoded ahead, and there is a core for it."""
    return isinstance(frames, Ahead) and torch.get_num_threads() > 1
