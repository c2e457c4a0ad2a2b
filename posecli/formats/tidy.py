"""The tidy layout of tables (`csv`, `parquet`): one row a joint; frame, time_s, track_id, joint, x, y, score.

The people's boxes, the pictures without people and the provenance stand in the sidecar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import Person, box_around, estimated, mean_score, shortest
from posecli.formats.sidecar import Sidecar, read_sidecar
from posecli.formats.stream import Entry, PoseStream, merged
from posecli.formats.tables import Row, require, skeleton_of
from posecli.skeletons import Skeleton
from posecli.types import Poses

COLUMNS = ["frame", "time_s", "track_id", "joint", "x", "y", "score"]
MISSING = (np.nan, np.nan, np.nan)

Joints = dict[str, tuple[float, float, float]]  # x, y and score by the joint's name


class TidyLayout:
    boxes_beside = True

    def columns(self, skeleton: Skeleton) -> list[str]:
        return COLUMNS

    def rows(self, poses: Poses, skeleton: Skeleton) -> Iterator[list[Any]]:
        known = estimated(poses)
        points = shortest(np.where(known[..., None], poses.keypoints, np.nan)).tolist()
        scores = shortest(np.where(known, poses.scores, np.nan)).tolist()
        for i, track_id in enumerate(poses.tracks.ids.tolist()):
            for joint, (x, y), score in zip(skeleton.keypoints, points[i], scores[i], strict=True):
                yield [poses.frame_index, poses.time_s, track_id, joint, x, y, score]

    def open(
        self, path: Path, columns: Sequence[str], rows: Callable[[], Iterator[Row]], entry: Entry
    ) -> PoseStream:
        """The poses in a tidy table; joints that have no row are NaN.

        Without a sidecar a person's box is the extent of the keypoints, with their mean score.
        """
        require(columns, COLUMNS, path)
        sidecar = read_sidecar(path, entry)
        survey = _Survey.of(rows())
        skeleton = skeleton_of(survey.joints, sidecar, path)
        empty = Poses.empty
        frames = {frame: empty(frame, time_s, len(skeleton)) for frame, time_s in survey.times.items()}
        frames |= sidecar.frames_by_index()

        def people() -> Iterator[tuple[int, Person]]:
            batches: Iterable[Iterable[Row]] = [rows()]
            if survey.in_order:
                batches = (batch for _, batch in groupby(rows(), key=_frame))
            for batch in batches:
                for (frame, track_id), joints in _people(batch, entry).items():
                    yield frame, _person(frame, track_id, joints, skeleton, sidecar)

        poses = merged(frames, people, in_order=survey.in_order)
        return PoseStream(sidecar.video, skeleton, sidecar.provenance, poses)


@dataclass(slots=True)
class _Survey:
    """What must be known before the first person is read."""

    times: dict[int, float] = field(default_factory=dict)  # by frame
    joints: set[str] = field(default_factory=set)
    in_order: bool = True  # by frame

    @classmethod
    def of(cls, rows: Iterable[Row]) -> _Survey:
        survey, last = cls(), -np.inf
        for row in rows:
            with suppress(PosecliError):  # said when the people are read
                frame = row.integer("frame")
                survey.times.setdefault(frame, row.number("time_s"))
                survey.joints.add(row.text("joint"))
                survey.in_order = survey.in_order and frame >= last
                last = frame
        return survey


def _frame(row: Row) -> int | None:
    with suppress(PosecliError):
        return row.integer("frame")
    return None


def _people(rows: Iterable[Row], entry: Entry) -> dict[tuple[int, int], Joints]:
    """The joints of each person, by frame and track id."""
    people: dict[tuple[int, int], Joints] = {}
    for row in rows:
        with entry():
            frame, track_id, joint = row.integer("frame"), row.integer("track_id"), row.text("joint")
            row.number("time_s")
            person = people.setdefault((frame, track_id), {})
            if joint in person:
                row.fail("joint", f"{joint} of track {track_id} appears twice in frame {frame}")
            person[joint] = row.number("x"), row.number("y"), row.number("score")
    return people


def _person(frame: int, track_id: int, joints: Joints, skeleton: Skeleton, sidecar: Sidecar) -> Person:
    table = np.array([joints.get(name, MISSING) for name in skeleton.keypoints], np.float32)
    keypoints, scores = table[:, :2], table[:, 2]
    if beside := sidecar.person(frame, track_id):
        return track_id, beside.box, beside.score, keypoints, scores
    return track_id, box_around(keypoints[None])[0], mean_score(scores), keypoints, scores
