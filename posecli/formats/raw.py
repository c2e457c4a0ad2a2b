"""What files of smoothed poses keep beside them (posecli.formats.smoothed), read back.

The formats' own readers do it: they are given the file's other keypoints, marks and measures in the place of the
keypoints, once for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import Person, estimated
from posecli.formats.coco import FILLED, RAW_SUFFIX, open_coco, person_from
from posecli.formats.document import Node
from posecli.formats.json_stream import open_document
from posecli.formats.npz import has_raw, open_npz
from posecli.formats.registry import Format, format_named, open_poses, recognise
from posecli.formats.stream import Entry, PoseStream, collected
from posecli.formats.tables import Layout, Row
from posecli.skeletons import Skeleton
from posecli.types import Poses, Recording, SmoothedPoses, Tracks

# A table's columns (wide: after the joint's name) that are read in the place of those of x, y and score.
RAW = {"x": f"x{RAW_SUFFIX}", "y": f"y{RAW_SUFFIX}", "score": f"score{RAW_SUFFIX}"}
MARKS = {"x": "angle", "y": "speed", "score": "filled"}
RAW_ARRAYS = {name: f"{name}{RAW_SUFFIX}" for name in ("keypoints", "keypoint_scores")}
MEASURES = {"angle": 0, "speed": 1}  # where they then are: x is 0, y is 1


def read_raw(path: Path) -> Recording | None:
    """The poses of a file as they were before they were smoothed; None where it doesn't keep them.

    People whom the filters added, of whom there was nothing, are left out.

    Raises:
        PosecliError: there is no such file, or its format is not known.
    """
    try:
        source = _KeptFile.of(path)
        recording = collected(source.raw()) if source.keeps_raw else None
    except PosecliError:
        open_poses(path)  # its smoothed poses can be read, or this says why not: what fails are the raw ones
        return None
    if recording is None:
        return None
    return replace(recording, frames=[_known_people(poses) for poses in recording.frames])


def open_smoothed(path: Path, format: str | None = None) -> tuple[PoseStream, tuple[str, ...]] | None:
    """Opens a file that keeps raw keypoints: its stream is of SmoothedPoses. None where it keeps none.

    Args:
        format: a name in FORMATS; None: the file's contents tell which it is.

    Returns:
        The stream, and the names of the measures that the poses have.

    Raises:
        PosecliError: as open_poses; also where what is kept is malformed.
    """
    source = _KeptFile.of(path, format)
    if not source.keeps_raw:
        return None
    stream, names = open_poses(path, source.format.name), source.measures
    together = zip(stream.poses, source.raw().poses, source.marks().poses, strict=True)
    poses = (_smoothed(after, before, marks, names) for after, before, marks in together)
    return replace(stream, poses=poses), names


def check_kept(path: Path, format: str, entry: Entry) -> None:
    """Reads all that a file keeps beside its poses; what is wrong there is raised within entry."""
    source = _KeptFile.of(path, format)
    if source.keeps_raw:
        for kept in (source.raw(entry), source.marks(entry)):
            for _ in kept.poses:
                pass


@dataclass(frozen=True, slots=True)
class _KeptFile:
    """A file of poses, and which of RAW and MARKS it has."""

    path: Path
    format: Format
    names: frozenset[str]

    @classmethod
    def of(cls, path: Path, name: str | None = None) -> _KeptFile:
        format = format_named(name or recognise(path))
        names: frozenset[str] = frozenset()
        if format.columns is not None:
            columns = format.columns(path)
            kept = (*RAW.values(), *MARKS.values())
            names = frozenset(name for name in kept if any(_is_of(column, name) for column in columns))
        elif (format.open is open_coco and _first_annotation(path).has(f"keypoints{RAW_SUFFIX}")) or (
            format.open is open_npz and has_raw(path)
        ):
            names = frozenset(RAW.values())
        return cls(path, format, names)

    @property
    def keeps_raw(self) -> bool:
        return self.names >= set(RAW.values())

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(name for name in MEASURES if name in self.names)

    def raw(self, entry: Entry = nullcontext) -> PoseStream:
        """The raw keypoints in the place of the keypoints."""
        if self.format.open is open_npz:
            return open_npz(self.path, entry, instead=RAW_ARRAYS)
        return self._open(RAW, partial(person_from, suffix=RAW_SUFFIX), entry)

    def marks(self, entry: Entry = nullcontext) -> PoseStream:
        """Whether a keypoint is filled in the place of its score, the measures in that of x and y."""
        if self.format.open is open_npz:
            return open_npz(self.path, entry, instead={"keypoint_scores": FILLED})
        return self._open(MARKS, _marked_person, entry)

    def _open(self, names: dict[str, str], person: Callable[[Node, int], Person], entry: Entry) -> PoseStream:
        opened = self.format.open
        if not isinstance(opened, partial):
            return open_coco(self.path, entry, person=person)
        stream: PoseStream = opened(self.path, entry, layout=_Renamed(opened.keywords["layout"], names))
        return stream


def _is_of(column: str, name: str) -> bool:
    """Whether a table's column is of this name, in a wide one after the joint's."""
    return column == name or column.endswith(f"_{name}")


def _first_annotation(path: Path) -> Node:
    return next(open_document(path)["annotations"].items(), Node({}, path))


def _marked_person(annotation: Node, num_keypoints: int) -> Person:
    track_id, box, score, *_ = person_from(annotation, num_keypoints)
    marks = annotation[FILLED].numbers(num_keypoints) if annotation.has(FILLED) else np.zeros(num_keypoints)
    no_measures = np.full((num_keypoints, 2), np.nan, np.float32)
    return track_id, box, score, no_measures, marks.astype(np.float32)


def _smoothed(after: Poses, before: Poses, marks: Poses, measures: Sequence[str]) -> SmoothedPoses:
    tables = {name: marks.keypoints[..., MEASURES[name]].astype(np.float64) for name in measures}
    own = {field.name: getattr(after, field.name) for field in fields(after)}
    return SmoothedPoses(
        **own,
        raw_keypoints=before.keypoints,
        raw_scores=before.scores,
        filled=marks.scores == 1,
        measures=tables,
    )


@dataclass(frozen=True, slots=True)
class _Renamed:
    """A table's layout that reads other columns: names gives them for x, y and score."""

    inner: Layout
    names: dict[str, str]

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
        joints = {  # as they begin a column's name: "nose_"; in a tidy table there is "" alone
            column.removesuffix(name)
            for column in columns
            for name in self.names.values()
            if _is_of(column, name)
        }
        new_names = {joint + own: joint + other for joint in joints for own, other in self.names.items()}

        def renamed() -> Iterator[Row]:
            for row in rows():
                cells = {own: row.cells.get(other, math.nan) for own, other in new_names.items()}
                yield _RenamedRow(row.cells | cells, row.file, row.place, new_names)

        return self.inner.open(path, columns, renamed, entry)


@dataclass(frozen=True, slots=True)
class _RenamedRow(Row):
    """A row whose errors name the columns that are in the file."""

    new_names: dict[str, str]

    def fail(self, column: str, message: str) -> NoReturn:
        Row.fail(self, self.new_names.get(column, column), message)


def _known_people(poses: Poses) -> Poses:
    is_known = estimated(poses).any(axis=1)
    if is_known.all():
        return poses
    rows = np.flatnonzero(is_known)
    tracks = Tracks(poses.tracks.ids[rows], poses.tracks.xyxy[rows], poses.tracks.scores[rows])
    return replace(poses, tracks=tracks, keypoints=poses.keypoints[rows], scores=poses.scores[rows])
