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
    for frame, boxes in detect_marked(((frame, True) for frame in frames), detector, batch_size, section):
        assert boxes is not None
        yield frame, boxes


def every_nth(frames: Iterable[Frame], every: int) -> Iterator[tuple[Frame, bool]]:
    """Each picture, and whether the detector looks at it: where its index is a multiple of `every`, and at the last.

    Reads one picture ahead, unless the detector looks at all.
    """
    if every == 1:
        yield from ((frame, True) for frame in frames)
        return
    held: Frame | None = None
    for frame in frames:
        if held is not None:
            yield held, held.index % every == 0
        held = frame
    if held is not None:
        yield held, True


def detect_marked(
    frames: Iterable[tuple[Frame, bool]], detector: Detector, batch_size: int, section: int | None = None
) -> Iterator[tuple[Frame, Boxes | None]]:
    """Each picture with the detector's boxes, None where it does not look; batch_size pictures are held.

    Args:
        frames: pictures, and whether the detector looks at them.
        section: as of detect_people.
    """
    batch: list[tuple[Frame, bool]] = []
    for frame, is_looked_at in frames:
        batch.append((frame, is_looked_at))
        if len(batch) == batch_size or (section and (frame.index + 1) % section == 0):
            yield from _detect(batch, detector)
            batch = []
    if batch:
        yield from _detect(batch, detector)


def _detect(batch: list[tuple[Frame, bool]], detector: Detector) -> Iterator[tuple[Frame, Boxes | None]]:
    images = [frame.image for frame, is_looked_at in batch if is_looked_at]
    found = iter(detector.detect(images) if images else [])
    return ((frame, next(found) if is_looked_at else None) for frame, is_looked_at in batch)


def track_people(
    stream: Iterable[tuple[Frame, Boxes | Tracks]], tracker: Tracker
) -> Iterator[tuple[Frame, Tracks]]:
    """Each picture with identities; those that are there already (from a file) are kept."""
    for frame, boxes in stream:
        yield frame, boxes if isinstance(boxes, Tracks) else tracker.update(boxes, frame)
