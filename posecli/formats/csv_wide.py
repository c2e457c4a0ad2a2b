"""Wide CSV (`csv-wide`): one row a person and frame.

The columns are frame, time_s, track_id, the box (bbox_x, bbox_y, bbox_width, bbox_height), its score, and of
every joint x, y and score (nose_x, nose_y, nose_score, ...). The pictures without people and the provenance
stand in the sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import Contents, Person, box_to_xywh, estimated, fill_frames, shortest, xywh_to_box
from posecli.formats.csv_tables import CsvWriter, Row, cell, read_header, read_rows, skeleton_of
from posecli.formats.sidecar import read_sidecar
from posecli.skeletons import Skeleton
from posecli.types import Poses, Recording

BOX_COLUMNS = ["bbox_x", "bbox_y", "bbox_width", "bbox_height"]
PERSON_COLUMNS = ["frame", "time_s", "track_id", *BOX_COLUMNS, "score"]
JOINT_SUFFIXES = ("_x", "_y", "_score")


def joint_columns(joint: str) -> list[str]:
    return [joint + suffix for suffix in JOINT_SUFFIXES]


class CsvWideWriter(CsvWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        super().__init__(path, contents, boxes_beside=False)

    def columns(self) -> list[str]:
        return PERSON_COLUMNS + [name for joint in self.skeleton.keypoints for name in joint_columns(joint)]

    def rows(self, poses: Poses) -> Iterator[list[Any]]:
        boxes = box_to_xywh(poses.tracks.xyxy).tolist()
        box_scores = shortest(poses.tracks.scores).tolist()
        table = np.concatenate([poses.keypoints, poses.scores[..., None]], axis=-1)
        table = shortest(np.where(estimated(poses)[..., None], table, np.nan))
        for i, track_id in enumerate(poses.tracks.ids.tolist()):
            numbers = [*boxes[i], box_scores[i], *table[i].ravel().tolist()]
            yield [poses.frame_index, cell(poses.time_s), track_id, *map(cell, numbers)]


def read_csv_wide(path: Path) -> Recording:
    """Reads wide CSV, with its sidecar where there is one.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    sidecar = read_sidecar(path)
    joints = {name.removesuffix("_x") for name in read_header(path) if name.endswith("_x")} - {"bbox"}
    if not joints:
        raise PosecliError(f"{path}: there are no columns of joints (nose_x, nose_y, nose_score, ...)")
    skeleton = skeleton_of(joints, sidecar, path)
    required = PERSON_COLUMNS + [column for joint in joints for column in joint_columns(joint)]
    frames: dict[int, Poses] = {frame.frame_index: frame for frame in sidecar.frames.values()}
    people: dict[int, list[Person]] = {}
    for row in read_rows(path, required):
        frame = row.integer("frame")
        if frame not in frames:
            frames[frame] = Poses.empty(frame, row.number("time_s"), len(skeleton))
        people.setdefault(frame, []).append(_person(row, skeleton, joints))
    return Recording(sidecar.video, skeleton.name, fill_frames(frames.values(), people), sidecar.provenance)


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
