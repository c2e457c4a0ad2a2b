"""Files of smoothed poses: what a format has, and beside it the raw keypoints, marks and measures.

In `coco` an annotation has keypoints_raw and keypoint_scores_raw (like keypoints and keypoint_scores) and
keypoints_filled (1 where interpolated, else 0); in `npz` there are arrays of these names. Tables have the columns
x_raw, y_raw, score_raw and filled of every joint, and angle and speed as asked for; wide ones with the joint's name
before. The other formats have no room, and hold the smoothed keypoints alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from posecli.errors import UsageError
from posecli.formats.base import Contents, PoseWriter, shortest
from posecli.formats.coco import FILLED, RAW_SUFFIX, CocoWriter, keypoint_entries
from posecli.formats.npz import NpzWriter, RawNpzWriter
from posecli.formats.registry import Format, format_named, format_of_suffix
from posecli.formats.stream import Entry, PoseStream
from posecli.formats.tables import Layout, Row
from posecli.formats.tidy import TidyLayout
from posecli.skeletons import ANGLES, Skeleton
from posecli.types import Poses, SmoothedPoses, VideoInfo

RAW_COLUMNS = ("x_raw", "y_raw", "score_raw", "filled")


def open_smoothed_writer(
    path: Path,
    format: str | None = None,
    *,
    video: VideoInfo,
    skeleton: Skeleton,
    provenance: dict[str, Any],
    measures: Sequence[str] = (),
) -> PoseWriter:
    """A writer of SmoothedPoses.

    Args:
        format, video, skeleton, provenance: as of posecli.formats.open_writer.
        measures: the names of those that all poses have.

    Raises:
        UsageError: measures are asked for, and the format is no table.
        PosecliError: unknown format or suffix, or a place that cannot be written.
    """
    contents = Contents(video, skeleton, provenance)
    chosen = format_named(format or format_of_suffix(path))
    make = chosen.open_writer
    if isinstance(make, partial):
        layout = WithColumns(make.keywords["layout"], (*RAW_COLUMNS, *measures))
        return partial(make, layout=layout)(path, contents)
    if measures:
        raise UsageError(
            f"angles and speeds are columns of tables: {chosen.name} has none; write csv or parquet"
        )
    return _RAW_WRITERS.get(make, make)(path, contents)


def keeps_raw(format: Format) -> bool:
    """Whether its files have room for the raw keypoints."""
    return format.columns is not None or format.open_writer in _RAW_WRITERS


class _RawCocoWriter(CocoWriter):
    def annotations(self, poses: Poses) -> Iterator[dict[str, Any]]:
        assert isinstance(poses, SmoothedPoses)
        raw = keypoint_entries(replace(poses, keypoints=poses.raw_keypoints, scores=poses.raw_scores))
        for annotation, before, filled in zip(super().annotations(poses), raw, poses.filled, strict=True):
            yield annotation | {
                f"keypoints{RAW_SUFFIX}": before["keypoints"],
                f"keypoint_scores{RAW_SUFFIX}": before["keypoint_scores"],
                FILLED: filled.astype(int).tolist(),
            }


_RAW_WRITERS: dict[Any, Callable[[Path, Contents], PoseWriter]] = {
    CocoWriter: _RawCocoWriter,
    NpzWriter: RawNpzWriter,
}


@dataclass(frozen=True, slots=True)
class WithColumns:
    """A table's layout with more columns after its own."""

    inner: Layout
    names: tuple[str, ...]

    @property
    def boxes_beside(self) -> bool:
        return self.inner.boxes_beside

    def columns(self, skeleton: Skeleton) -> list[str]:
        if self._is_tidy:
            return [*self.inner.columns(skeleton), *self.names]
        more = [
            f"{joint}_{name}" for joint in skeleton.keypoints for name in self.names if _exists(name, joint)
        ]
        return [*self.inner.columns(skeleton), *more]

    def rows(self, poses: Poses, skeleton: Skeleton) -> Iterator[list[Any]]:
        assert isinstance(poses, SmoothedPoses)
        tables = [_column(poses, name).tolist() for name in self.names]
        places = [(i, k) for i in range(len(poses)) for k in range(len(skeleton))]
        cells = {place: [table[place[0]][place[1]] for table in tables] for place in places}
        rows = self.inner.rows(poses, skeleton)
        if self._is_tidy:
            for place, row in zip(places, rows, strict=True):
                yield [*row, *cells[place]]
            return
        for i, row in enumerate(rows):
            more = [
                value
                for k, joint in enumerate(skeleton.keypoints)
                for name, value in zip(self.names, cells[i, k], strict=True)
                if _exists(name, joint)
            ]
            yield [*row, *more]

    def open(
        self, path: Path, columns: Sequence[str], rows: Callable[[], Iterator[Row]], entry: Entry
    ) -> PoseStream:
        return self.inner.open(path, columns, rows, entry)

    @property
    def _is_tidy(self) -> bool:
        return isinstance(self.inner, TidyLayout)


def _exists(name: str, joint: str) -> bool:
    """Whether there can be such a value: few joints have an angle."""
    return name != "angle" or joint in ANGLES


def _column(poses: SmoothedPoses, name: str) -> np.ndarray:
    """(n, K) values of a column."""
    if name == "filled":
        return poses.filled.astype(int)
    raw = {
        "x_raw": poses.raw_keypoints[..., 0],
        "y_raw": poses.raw_keypoints[..., 1],
        "score_raw": poses.raw_scores,
    }
    values = raw[name] if name in raw else poses.measures[name]
    return shortest(values.astype(np.float32))
