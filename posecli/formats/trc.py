"""TRC (`trc`): the motion-capture table that OpenSim and Sports2D read; a row a frame, tabs between the cells.

Units are pixels of the picture, y down, Z is 0. Frame# counts from 1, Time is the frame's own. With one person the
markers are the keypoints' names, with several each stands after its person, as Vicon's software writes it
(`person2:nose`). A marker without a place is an empty cell. Scores, boxes and provenance stand in the sidecar.

The form: https://opensimconfluence.atlassian.net/wiki/spaces/OpenSim/pages/53089972/Marker+.trc+Files
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
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

START = "PathFileType"
RATES = (
    "DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame",
    "OrigNumFrames",
)  # fmt: skip
HEADER_ROWS = 5
LEADING = ("Frame#", "Time")
UNKNOWN_RATE = 30.0  # where the source has no rate (pictures): readers divide by it


class TrcWriter(TrackTableWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        super().__init__(path, contents, binary=False, scores_beside=True)

    def assemble(self, file: IO[str], track_ids: list[int], frames: Iterator[FrameRow]) -> None:
        table = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, escapechar="\\")
        table.writerows(self._header(track_ids))
        for frame in frames:
            xyz = frame.table.copy()
            xyz[..., 2] = np.where(np.isfinite(xyz[..., 0]), 0, np.nan)
            numbers = shortest(xyz).ravel().tolist() or [math.nan] * PARTS * len(self.contents.skeleton)
            table.writerow([frame.index + 1, cell(frame.time_s), *map(cell, numbers)])

    def _header(self, track_ids: list[int]) -> list[list[object]]:
        keypoints = self.contents.skeleton.keypoints
        markers = list(keypoints)
        if len(track_ids) > 1:
            markers = [f"person{track_id}:{name}" for track_id in track_ids for name in keypoints]
        rate = self.contents.video.frame_rate or UNKNOWN_RATE
        rates = [rate, rate, self.frame_count, len(markers), "px", rate, 1, self.frame_count]
        axes = [f"{axis}{i + 1}" for i in range(len(markers)) for axis in "XYZ"]
        return [
            [START, 4, "(X/Y/Z)", self.output.target.name],
            list(RATES),
            list(map(cell, rates)),
            [*LEADING, *(part for marker in markers for part in (marker, "", ""))],
            ["", "", *axes],
        ]


def open_trc(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens a TRC file, with the sidecar where there is one. Scores that are not beside it are 1.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    markers = _markers(path)
    named = [_person_and_joint(marker) for marker in markers]
    people = list(dict.fromkeys(person for person, _ in named))
    if len(set(named)) < len(named):
        raise PosecliError(f"{path}: line 4: two markers of one name")
    sidecar = read_sidecar(path, entry)
    skeleton = skeleton_of({joint for _, joint in named}, sidecar, path)
    places = [people.index(person) for person, _ in named], [skeleton.index(joint) for _, joint in named]
    track_ids = track_numbers(people, sidecar)

    def rows(entry: Entry) -> Iterator[FrameRow]:
        for number, cells in _body(path):
            with entry():
                row = Row(dict(zip(_columns(markers), cells, strict=False)), path, f"line {number}")
                if len(cells) < len(row.cells) or len(row.cells) < len(LEADING):
                    raise PosecliError(f"{path}: line {number}: there are too many or too few cells")
                padded = Row(dict.fromkeys(_columns(markers), "") | row.cells, path, row.place)
                numbers = np.array([padded.number(name) for name in _columns(markers)[2:]], np.float64)
                xyz = check_numbers(numbers, path, row.place).reshape(-1, PARTS)
                table = np.full((len(people), len(skeleton), PARTS), np.nan, np.float32)
                table[places] = np.concatenate(
                    [xyz[:, :2], np.where(np.isnan(xyz[:, :1]), np.nan, 1)], axis=1
                )
                yield FrameRow(row.integer(LEADING[0]) - 1, row.number(LEADING[1]), table)

    poses = by_index(
        lambda: poses_from(rows(entry), track_ids, skeleton, sidecar, path, entry),
        (row.index for row in rows(partial(suppress, PosecliError))),
    )
    return PoseStream(sidecar.video, skeleton, sidecar.provenance, poses)


def _markers(path: Path) -> list[str]:
    """The markers' names, from the fourth line."""
    header = [cells for _, cells in zip(range(HEADER_ROWS), read_lines(path, "\t"), strict=False)]
    if len(header) < HEADER_ROWS or header[0][1][0] != START:
        raise PosecliError(f"{path}: not a TRC file: {HEADER_ROWS} header lines expected, the first {START}")
    names = header[3][1]
    if tuple(name.strip() for name in names[:2]) != LEADING:
        raise PosecliError(f"{path}: line 4: the columns {' and '.join(LEADING)} expected")
    markers = [name.strip() for name in names[2:] if name.strip()]
    if not markers:
        raise PosecliError(f"{path}: line 4: there are no markers")
    return markers


def _body(path: Path) -> Iterator[tuple[int, list[str]]]:
    lines = read_lines(path, "\t")
    for _ in range(HEADER_ROWS):
        next(lines)
    return ((number, cells) for number, cells in lines if any(text.strip() for text in cells))


def _columns(markers: Sequence[str]) -> list[str]:
    return [*LEADING, *(f"{axis} of {marker}" for marker in markers for axis in "XYZ")]


def _person_and_joint(marker: str) -> tuple[str, str]:
    person, _, joint = marker.rpartition(":")
    return person, joint
