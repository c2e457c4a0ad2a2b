"""What the formats with one row a frame share (DeepLabCut's, TRC): columns for the joints of every track.

Which tracks there are is known at the end only, so that the poses go to a nameless temporary file first. Memory
holds the tracks' ids and one frame. Boxes, and what else has no column, stand in the sidecar.
"""

from __future__ import annotations

import re
import struct
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import (
    Contents,
    Person,
    PoseWriter,
    box_around,
    estimated,
    mean_score,
    stack_people,
)
from posecli.formats.sidecar import Sidecar, SidecarWriter
from posecli.formats.stream import Entry
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses

PARTS = 3  # x, y, score
MOST_DIGITS = 15  # of a track's number

_FRAME = struct.Struct("<qdq")  # index, time_s, number of people


class TrackTableWriter(PoseWriter):
    """Spools the poses; `assemble` writes the file when all tracks are known."""

    def __init__(self, path: Path, contents: Contents, *, binary: bool, scores_beside: bool = False) -> None:
        self.contents = contents
        self.output = ReplacingFile(path, binary=binary)
        self._sidecar = SidecarWriter(path, contents, boxes=True, scores=scores_beside)
        self._stack = ExitStack()
        self._ids: set[int] = set()
        self.frame_count = 0

    @abstractmethod
    def assemble(self, file: Any, track_ids: list[int], frames: Iterator[FrameRow]) -> None: ...

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(self.output)
        # Entered last, finished first: should it fail, the table is not put in place either.
        self._stack.enter_context(self._sidecar)
        self._spool = self._stack.enter_context(tempfile.TemporaryFile(dir=self.output.folder))
        return self

    def write(self, poses: Poses) -> None:
        self._sidecar.write(poses)
        self.frame_count += 1
        self._ids.update(poses.tracks.ids.tolist())
        table = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)
        table = np.where(estimated(poses)[..., None], table, np.nan).astype("<f4")
        self._spool.write(_FRAME.pack(poses.frame_index, poses.time_s, len(poses)))
        self._spool.write(poses.tracks.ids.astype("<i8").tobytes() + table.tobytes())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            track_ids = sorted(self._ids)
            self.assemble(self._file, track_ids, self._frames(track_ids))

    def _frames(self, track_ids: list[int]) -> Iterator[FrameRow]:
        places = {track_id: place for place, track_id in enumerate(track_ids)}
        num_keypoints = len(self.contents.skeleton)
        self._spool.seek(0)
        for _ in range(self.frame_count):
            index, time_s, count = _FRAME.unpack(self._spool.read(_FRAME.size))
            ids = np.frombuffer(self._spool.read(8 * count), "<i8").tolist()
            people = np.frombuffer(self._spool.read(4 * PARTS * count * num_keypoints), "<f4")
            table = np.full((len(track_ids), num_keypoints, PARTS), np.nan, np.float32)
            table[[places[i] for i in ids]] = people.reshape(count, num_keypoints, PARTS)
            yield FrameRow(index, time_s, table)


@dataclass(frozen=True, slots=True)
class FrameRow:
    """One row of such a table."""

    index: int
    time_s: float
    table: FloatArray  # (tracks, K, 3): x, y and score; NaN where there is none


def poses_from(
    rows: Iterable[FrameRow],
    track_ids: Sequence[int],
    skeleton: Skeleton,
    sidecar: Sidecar,
    path: Path,
    entry: Entry,
) -> Iterator[Poses]:
    """The frames of a table: on each the people that the sidecar has there, or of whom a joint is estimated."""
    frames = sidecar.frames_by_index()
    places = {track_id: place for place, track_id in enumerate(track_ids)}
    done: set[int] = set()
    for row in rows:
        with entry():
            if row.index in done:
                raise PosecliError(f"{path}: frame {row.index} appears twice")
            done.add(row.index)
            frame = frames.get(row.index, Poses.empty(row.index, row.time_s, len(skeleton)))
            seen = [bool(np.isfinite(person[:, :2]).any()) for person in row.table]
            ids = [track_id for track_id in sidecar.people.get(row.index, {}) if track_id in places]
            ids += [i for i, is_seen in zip(track_ids, seen, strict=True) if is_seen and i not in ids]
            people = [_person(row, i, places[i], sidecar) for i in ids]
            yield stack_people(frame, people) if people else frame


def _person(row: FrameRow, track_id: int, place: int, sidecar: Sidecar) -> Person:
    keypoints, scores = row.table[place, :, :2], row.table[place, :, 2]
    keypoints = np.where(np.isfinite(keypoints).all(axis=-1, keepdims=True), keypoints, np.float32(np.nan))
    beside = sidecar.person(row.index, track_id)
    if beside and beside.keypoint_scores is not None:
        scores = beside.keypoint_scores
    if beside:
        return track_id, beside.box, beside.score, keypoints, scores
    return track_id, box_around(keypoints[None])[0], mean_score(scores), keypoints, scores


def track_numbers(names: Sequence[str], sidecar: Sidecar) -> list[int]:
    """The track ids of people that a file names: the number at the end of each name, or else their places from 1.

    One person without a name has the sidecar's only id.
    """
    if list(names) == [""]:
        ids = {track_id for people in sidecar.people.values() for track_id in people}
        return [ids.pop()] if len(ids) == 1 else [1]
    ends = [re.search(r"-?\d+$", name) for name in names]
    numbers = [int(end.group()) for end in ends if end and len(end.group()) <= MOST_DIGITS]
    return numbers if len(set(numbers)) == len(names) else list(range(1, len(names) + 1))


def check_numbers(numbers: NDArray[np.float64], path: Path, place: str) -> FloatArray:
    """Numbers of a row as float32; NaN may be among them, infinities not.

    Raises:
        PosecliError: one is too large.
    """
    limit = float(np.finfo(np.float32).max)
    wrong = np.flatnonzero(np.abs(numbers) > limit)  # a comparison with NaN is false
    if len(wrong):
        raise PosecliError(f"{path}: {place}, number {wrong[0] + 1}: the number is too large")
    return numbers.astype(np.float32)
