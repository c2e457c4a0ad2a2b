"""DeepLabCut's CSV (`deeplabcut`): a row a frame below the header rows scorer, (individuals,) bodyparts and coords.

The conventions are those of DeepLabCut's own analysis files, which pandas reads with header=[0, 1, 2] (one person) or
[0, 1, 2, 3] (several), and index_col=0: the coords are x, y and likelihood, individuals are called individual1, ...;
here their number is the track id. A row without a number is a joint that was not estimated. Frames without people are
rows too. Times, boxes and provenance stand in the sidecar.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import Contents, shortest
from posecli.formats.csv_file import cell, read_lines
from posecli.formats.sidecar import read_sidecar
from posecli.formats.stream import Entry, PoseStream, by_index
from posecli.formats.tables import Row, skeleton_of
from posecli.formats.track_tables import (
    PARTS,
    FrameRow,
    TrackTableWriter,
    check_numbers,
    poses_from,
    track_numbers,
)
from posecli.skeletons import Skeleton
from posecli.types import FloatArray

SCORER = "posecli"
COORDS = ("x", "y", "likelihood")
LEVELS = ("scorer", "individuals", "bodyparts", "coords")


class DeeplabcutWriter(TrackTableWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        super().__init__(path, contents, binary=False)

    def assemble(self, file: IO[str], track_ids: list[int], frames: Iterator[FrameRow]) -> None:
        table = csv.writer(file, lineterminator="\n")
        levels, columns = header(track_ids, self.contents.skeleton)
        for level, names in zip(levels, zip(*columns, strict=True), strict=True):
            table.writerow([level, *names])
        for frame in frames:
            numbers = shortest(frame.table).ravel().tolist() or [math.nan] * len(columns)
            table.writerow([frame.index, *map(cell, numbers)])


def header(track_ids: Sequence[int], skeleton: Skeleton) -> tuple[list[str], list[tuple[str, ...]]]:
    """The levels of the header, and of every column what stands in them.

    One person (or nobody) is written without individuals, as DeepLabCut does it.
    """
    joints = [(joint, coord) for joint in skeleton.keypoints for coord in COORDS]
    if len(track_ids) <= 1:
        return [LEVELS[0], *LEVELS[2:]], [(SCORER, *joint) for joint in joints]
    people = [f"individual{track_id}" for track_id in track_ids]
    return list(LEVELS), [(SCORER, person, *joint) for person in people for joint in joints]


def open_deeplabcut(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens DeepLabCut's CSV, with the sidecar where there is one.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    levels: list[str] = []
    names: list[list[str]] = []
    for _, cells in read_lines(path):
        levels.append(cells[0])
        names.append(cells[1:])
        if cells[0] == LEVELS[-1] or len(levels) == len(LEVELS):
            break
    if len({len(row) for row in names}) > 1:
        raise PosecliError(f"{path}: line {len(names)}: the header's rows are of different lengths")
    columns = Columns.of(levels, list(zip(*names, strict=True)), path)

    def rows(entry: Entry) -> Iterator[FrameRow]:
        width = len(columns.places) + 1
        for number, cells in _body(path, len(levels)):
            with entry():
                if len(cells) != width:
                    raise PosecliError(f"{path}: line {number}: {width} cells expected, found {len(cells)}")
                index = Row({LEVELS[0]: cells[0]}, path, f"line {number}").integer(LEVELS[0])
                yield FrameRow(index, math.nan, columns.table(_numbers(cells[1:], path, number)))

    return columns.stream(rows, path, entry)


def _body(path: Path, header_rows: int) -> Iterator[tuple[int, list[str]]]:
    lines = read_lines(path)
    for _ in range(header_rows):
        next(lines)
    return lines


def _numbers(cells: list[str], path: Path, number: int) -> FloatArray:
    place = f"line {number}"
    try:
        numbers = np.array([float(text) if text.strip() else math.nan for text in cells], np.float64)
    except ValueError:
        row = Row({f"{i + 2}": text for i, text in enumerate(cells)}, path, place)
        numbers = np.array([row.number(column) for column in row.cells])  # says which
    return check_numbers(numbers, path, place)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of such a file are."""

    people: list[str]  # individuals; one "" where there are none
    joints: list[str]
    places: list[tuple[int, int, int]]  # of each column: person, joint, x or y or likelihood

    @classmethod
    def of(cls, levels: Sequence[str], columns: Sequence[Sequence[str]], path: Path) -> Columns:
        """The columns below a header.

        Raises:
            PosecliError: it is not DeepLabCut's; the message says why.
        """
        if tuple(levels) not in (LEVELS, (LEVELS[0], *LEVELS[2:])):
            expected = ", ".join(LEVELS)
            raise PosecliError(f"{path}: header rows {expected} expected, found {', '.join(levels)[:80]}")
        named = [(column[1] if len(column) == len(LEVELS) else "", *column[-2:]) for column in columns]
        people = list(dict.fromkeys(person for person, _, _ in named))
        joints = list(dict.fromkeys(joint for _, joint, _ in named))
        strange = sorted({coord for _, _, coord in named} - set(COORDS))
        if not named or strange:
            raise PosecliError(f"{path}: the coords {', '.join(COORDS)} expected, found {strange[:1]}")
        places = [(people.index(p), joints.index(j), COORDS.index(c)) for p, j, c in named]
        if len(set(places)) < len(places):
            raise PosecliError(f"{path}: two columns of the same individual, bodypart and coord")
        return cls(people, joints, places)

    def table(self, numbers: FloatArray) -> FloatArray:
        """(columns,) to (people, joints, 3). A score is 1 where there are no likelihoods (drawn by hand)."""
        table = np.full((len(self.people), len(self.joints), PARTS), np.nan, np.float32)
        if not any(part == PARTS - 1 for _, _, part in self.places):
            table[..., -1] = 1
        table[tuple(np.array(self.places).T)] = numbers
        table[~np.isfinite(table[..., :2]).all(axis=-1)] = np.nan
        return table

    def stream(self, rows: Callable[[Entry], Iterator[FrameRow]], path: Path, entry: Entry) -> PoseStream:
        """The poses in the file's rows."""
        sidecar = read_sidecar(path, entry)
        skeleton = skeleton_of(set(self.joints), sidecar, path)
        track_ids = track_numbers(self.people, sidecar)
        order = [self.joints.index(name) if name in self.joints else -1 for name in skeleton.keypoints]
        is_missing = np.array(order) < 0

        def in_order(row: FrameRow) -> FrameRow:
            table = row.table[:, order]
            table[:, is_missing] = np.nan
            return replace(row, table=table)

        poses = by_index(
            lambda: poses_from(map(in_order, rows(entry)), track_ids, skeleton, sidecar, path, entry),
            (row.index for row in rows(partial(suppress, PosecliError))),
        )
        return PoseStream(sidecar.video, skeleton, sidecar.provenance, poses)
