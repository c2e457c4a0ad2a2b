"""The raw keypoints that files of smoothed poses keep (posecli.smooth.output), read as poses of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import estimated
from posecli.formats.coco import RAW_SUFFIX, open_coco
from posecli.formats.registry import format_named, recognise
from posecli.formats.stream import Entry, PoseStream, collected
from posecli.formats.tables import Layout, Row
from posecli.skeletons import Skeleton
from posecli.types import Poses, Recording, Tracks


def read_raw(path: Path) -> Recording | None:
    """The poses of a file as they were before they were smoothed; None where it doesn't keep them.

    People whom the filters added, of whom there was nothing, are left out.

    Raises:
        PosecliError: there is no such file, or its format is not known.
    """
    opened = format_named(recognise(path)).open
    try:
        if isinstance(opened, partial) and "layout" in opened.keywords:
            stream = partial(opened, layout=RawLayout(opened.keywords["layout"]))(path, nullcontext)
        elif opened is open_coco:
            stream = open_coco(path, suffix=RAW_SUFFIX)
        else:
            return None
        recording = collected(stream)
    except PosecliError:  # its smoothed poses can be read: what fails are the raw ones
        return None
    return replace(recording, frames=[_known_people(poses) for poses in recording.frames])


@dataclass(frozen=True, slots=True)
class RawLayout:
    """A table's layout whose columns are read from those of the raw keypoints: x from x_raw."""

    inner: Layout

    @property
    def boxes_beside(self) -> bool:
        return self.inner.boxes_beside

    def columns(self, skeleton: Skeleton) -> list[str]:
        return self.inner.columns(skeleton)

    def rows(self, poses: Poses, skeleton: Skeleton) -> Iterator[list[object]]:
        return self.inner.rows(poses, skeleton)

    def open(
        self, path: Path, columns: Sequence[str], rows: Callable[[], Iterator[Row]], entry: Entry
    ) -> PoseStream:
        raw = [column for column in columns if column.endswith(RAW_SUFFIX)]
        if not raw:
            raise PosecliError(f"{path}: there are no columns of raw keypoints (x{RAW_SUFFIX}, ...)")

        def renamed() -> Iterator[Row]:
            for row in rows():
                cells = {column.removesuffix(RAW_SUFFIX): row.cells[column] for column in raw}
                yield replace(row, cells=row.cells | cells)

        return self.inner.open(path, columns, renamed, entry)


def _known_people(poses: Poses) -> Poses:
    is_known = estimated(poses).any(axis=1)
    if is_known.all():
        return poses
    rows = np.flatnonzero(is_known)
    tracks = Tracks(poses.tracks.ids[rows], poses.tracks.xyxy[rows], poses.tracks.scores[rows])
    return replace(poses, tracks=tracks, keypoints=poses.keypoints[rows], scores=poses.scores[rows])
