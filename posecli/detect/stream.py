"""Detection and tracking of a stream of pictures, a bounded number of them at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from posecli.detect.protocol import Detector
from posecli.detect.tracking import Tracker
from posecli.types import Boxes, Frame, Tracks

BATCH_SIZE = 8


def detect_people(
    frames: Iterable[Frame], detector: Detector, batch_size: int = BATCH_SIZE, section: int | None = None
) -> Iterator[tuple[Frame, Boxes]]:
    """Each picture with the detector's boxes; batch_size pictures are detected at once and held.

    Args:
        section: a batch ends where a multiple of so many frames is complete, full or not.
    """
    batch: list[Frame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == batch_size or (section and (frame.index + 1) % section == 0):
            yield from _detect(batch, detector)
            batch = []
    if batch:
        yield from _detect(batch, detector)


def _detect(batch: list[Frame], detector: Detector) -> Iterator[tuple[Frame, Boxes]]:
    return zip(batch, detector.detect([frame.image for frame in batch]), strict=True)


def track_people(
    stream: Iterable[tuple[Frame, Boxes | Tracks]], tracker: Tracker
) -> Iterator[tuple[Frame, Tracks]]:
    """Each picture with identities; those that are there already (from a file) are kept."""
    for frame, boxes in stream:
        yield frame, boxes if isinstance(boxes, Tracks) else tracker.update(boxes, frame)
