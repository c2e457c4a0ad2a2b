"""The wide layout of tables (`csv-wide`, `parquet-wide`): one row a person and frame.

The columns are frame, time_s, track_id, the box (bbox_x, bbox_y, bbox_width, bbox_height), its score, and of
every joint x, y and score (nose_x, nose_y, nose_score, ...). The pictures without people and the provenance
stand in the sidecar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import Person, box_to_xywh, estimated, shortest, xywh_to_box
from posecli.formats.sidecar import read_sidecar
from posecli.formats.stream import Entry, PoseStream, are_in_order, merged
from posecli.formats.tables import Row, require, skeleton_of
from posecli.skeletons import Skeleton
from posecli.types import Poses

BOX_COLUMNS = ["bbox_x", "bbox_y", "bbox_width", "bbox_height"]
PERSON_COLUMNS = ["frame", "time_s", "track_id", *BOX_COLUMNS, "score"]
JOINT_SUFFIXES = ("_x", "_y", "_score")


class WideLayout:
    boxes_beside = False

    def columns(self, skeleton: Skeleton) -> list[str]:
        return PERSON_COLUMNS + [name for joint in skeleton.keypoints for name in joint_columns(joint)]

    def rows(self, poses: Poses, skeleton: Skeleton) -> Iterator[list[Any]]:
        boxes = box_to_xywh(poses.tracks.xyxy).tolist()
        box_scores = shortest(poses.tracks.scores).tolist()
        table = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)
        table = shortest(np.where(estimated(poses)[..., None], table, np.nan))
        for i, track_id in enumerate(poses.tracks.ids.tolist()):
            numbers = [*boxes[i], box_scores[i], *table[i].ravel().tolist()]
            yield [poses.frame_index, poses.time_s, track_id, *numbers]

    def open(
        self, path: Path, columns: Sequence[str], rows: Callable[[], Iterator[Row]], entry: Entry
    ) -> PoseStream:
        joints = {name.removesuffix("_x") for name in columns if name.endswith("_x")} - {"bbox"}
        if not joints:
            raise PosecliError(f"{path}: there are no columns of joints (nose_x, nose_y, nose_score, ...)")
        require(columns, PERSON_COLUMNS, path)
        require(columns, [column for joint in sorted(joints) for column in joint_columns(joint)], path)
        sidecar = read_sidecar(path, entry)
        skeleton = skeleton_of(joints, sidecar, path)
        frames, indices = sidecar.frames_by_index(), []
        for row in rows():
            with suppress(PosecliError):  # said when the people are read
                indices.append(row.integer("frame"))
                if indices[-1] not in frames:
                    frames[indices[-1]] = Poses.empty(indices[-1], row.number("time_s"), len(skeleton))

        def people() -> Iterator[tuple[int, Person]]:
            for row in rows():
                with entry():
                    row.number("time_s")
                    yield row.integer("frame"), _person(row, skeleton, joints)

        poses = merged(frames, people, in_order=are_in_order(frames, indices))
        return PoseStream(sidecar.video, skeleton, sidecar.provenance, poses)


def joint_columns(joint: str) -> list[str]:
    return [joint + suffix for suffix in JOINT_SUFFIXES]


def _person(row: Row, skeleton: Skeleton, joints: set[str]) -> Person:
    xywh = np.array([[row.number(column) for column in BOX_COLUMNS]], np.float64)
    missing = [np.nan] * len(JOINT_SUFFIXES)
    table = np.array(
        [
            [row.number(column) for column in joint_columns(joint)] if joint in joints else missing
            for joint in skeleton.keypoints
        ],
        np.float32,
    )
    return row.integer("track_id"), xywh_to_box(xywh)[0], row.number("score"), table[:, :2], table[:, 2]
