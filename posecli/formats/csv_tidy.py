"""Tidy CSV (`csv`): one row a joint, with the columns frame, time_s, track_id, joint, x, y, score.

The people's boxes, the pictures without people and the provenance stand in the sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posecli.formats.base import Contents, Person, box_around, estimated, fill_frames, shortest
from posecli.formats.csv_tables import CsvWriter, Row, cell, read_rows, skeleton_of
from posecli.formats.sidecar import Sidecar, read_sidecar
from posecli.skeletons import Skeleton
from posecli.types import Poses, Recording

COLUMNS = ["frame", "time_s", "track_id", "joint", "x", "y", "score"]


class CsvTidyWriter(CsvWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        super().__init__(path, contents, boxes_beside=True)

    def columns(self) -> list[str]:
        return COLUMNS

    def rows(self, poses: Poses) -> Iterator[list[Any]]:
        time_s = cell(poses.time_s)
        known = estimated(poses)
        points = shortest(np.where(known[..., None], poses.keypoints, np.nan)).tolist()
        scores = shortest(np.where(known, poses.scores, np.nan)).tolist()
        for i, track_id in enumerate(poses.tracks.ids.tolist()):
            for joint, (x, y), score in zip(self.skeleton.keypoints, points[i], scores[i], strict=True):
                yield [poses.frame_index, time_s, track_id, joint, cell(x), cell(y), cell(score)]


def read_csv_tidy(path: Path) -> Recording:
    """Reads tidy CSV, with its sidecar where there is one; joints that have no row are NaN.

    Without a sidecar a person's box is the extent of the keypoints, with their mean score.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    sidecar = read_sidecar(path)
    times: dict[int, float] = {}
    joints: dict[tuple[int, int], dict[str, tuple[float, float, float]]] = {}
    names: set[str] = set()
    for row in read_rows(path, COLUMNS):
        frame, track_id, joint = row.integer("frame"), row.integer("track_id"), row.text("joint")
        person = joints.setdefault((frame, track_id), {})
        if joint in person:
            row.fail("joint", f"{joint} of track {track_id} appears twice in frame {frame}")
        person[joint] = _joint(row)
        times.setdefault(frame, row.number("time_s"))
        names.add(joint)
    skeleton = skeleton_of(names, sidecar, path)
    frames = {frame: Poses.empty(frame, time_s, len(skeleton)) for frame, time_s in times.items()}
    frames |= {frame.frame_index: frame for frame in sidecar.frames.values()}
    people: dict[int, list[Person]] = {}
    for (frame, track_id), person in joints.items():
        people.setdefault(frame, []).append(_person(frame, track_id, person, skeleton, sidecar))
    return Recording(sidecar.video, skeleton.name, fill_frames(frames.values(), people), sidecar.provenance)


def _joint(row: Row) -> tuple[float, float, float]:
    return row.number("x"), row.number("y"), row.number("score")


def _person(
    frame: int,
    track_id: int,
    joints: dict[str, tuple[float, float, float]],
    skeleton: Skeleton,
    sidecar: Sidecar,
) -> Person:
    missing = (np.nan, np.nan, np.nan)
    table = np.array([joints.get(name, missing) for name in skeleton.keypoints], np.float32)
    keypoints, scores = table[:, :2], table[:, 2]
    if (frame, track_id) in sidecar.boxes:
        box, box_score = sidecar.boxes[frame, track_id]
    else:
        box = box_around(keypoints[None])[0]
        box_score = float(np.nanmean(scores)) if np.isfinite(scores).any() else 0.0
    return track_id, box, box_score, keypoints, scores
