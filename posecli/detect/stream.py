"""Detection and tracking of a stream of pictures, a bounded number of them at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from posecli.detect.protocol import Detector
from posecli.detect.tracking import Tracker
from posecli.types import Boxes, Frame, Tracks

BATCH_SIZE = 8


def detect_people(
    frames: Iterable[Frame], detector: Detector, batch_size: int = BATCH_SIZE
) -> Iterator[tuple[Frame, Boxes]]:
    """Each picture with the detector's boxes; batch_size pictures are detected at once and held."""
    remaining = iter(frames)
    while batch := list(islice(remaining, batch_size)):
        yield from zip(batch, detector.detect([frame.image for frame in batch]), strict=True)


def track_people(
    stream: Iterable[tuple[Frame, Boxes | Tracks]], tracker: Tracker
) -> Iterator[tuple[Frame, Tracks]]:
    """Each picture with identities; those that are there already (from a file) are kept."""
    for frame, boxes in stream:
        yield frame, boxes if isinstance(boxes, Tracks) else tracker.update(boxes, frame)
