"""PoseTrack 2017's result form (`posetrack17`): an `annolist` entry a picture, each value a one-element list.

Every picture is there. A picture without people holds one dummy person, a single joint of score -100, since
poseval expects people on every picture. Beside what poseval reads, each picture has its frame_index and its
time_s, each person its `bbox`, and the object `info` and `videos` as in COCO dataset style. x1, y1, x2 and y2
are the head rectangle of an annotated person and are not written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import (
    NO_TRACK,
    Contents,
    Person,
    PoseWriter,
    box_around,
    box_to_xywh,
    convert_poses,
    converted,
    estimated,
    finite_or_none,
    name_from_picture,
    picture_name,
    sequence_name,
    shortest,
    stack_people,
)
from posecli.formats.coco import box_from, dumps, provenance_from, video_entry, video_from
from posecli.formats.document import Node
from posecli.formats.json_stream import open_document
from posecli.formats.stream import Entry, PoseStream, by_index
from posecli.skeletons import POSETRACK17
from posecli.types import Poses, VideoInfo

DUMMY_SCORE = -100


class Posetrack17Writer(PoseWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        self._skeleton = contents.skeleton
        self._contents = converted(contents, POSETRACK17)
        self._output = ReplacingFile(path)
        self._separator = "\n"

    def __enter__(self) -> Self:
        self._file = self._output.__enter__()
        info, video = dumps(self._contents.provenance), dumps(video_entry(self._contents.video))
        self._file.write(f'{{"info":{info},\n"videos":[{video}],\n"annolist":[')
        return self

    def write(self, poses: Poses) -> None:
        poses = convert_poses(poses, self._skeleton, POSETRACK17)
        entry = {
            "image": [{"name": picture_path(self._contents.video, poses)}],
            "imgnum": [poses.frame_index + 1],
            "frame_index": [poses.frame_index],
            "time_s": [finite_or_none(poses.time_s)],
            "annorect": list(_people(poses)) or [_dummy()],
        }
        self._file.write(self._separator + dumps(entry))
        self._separator = ",\n"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write("]}\n")
        self._output.__exit__(kind, error, trace)


def picture_path(video: VideoInfo, poses: Poses) -> str:
    """A picture's name after the folder of its sequence, by which poseval groups pictures."""
    if poses.name and "/" not in poses.name:
        return f"{sequence_name(video)}/{poses.name}"
    return picture_name(video, poses)


def _people(poses: Poses) -> Iterator[dict[str, Any]]:
    boxes = box_to_xywh(poses.tracks.xyxy).tolist()
    box_scores = shortest(poses.tracks.scores).tolist()
    known = estimated(poses)
    keypoints, scores = shortest(poses.keypoints), shortest(poses.scores)
    for i, track_id in enumerate(poses.tracks.ids.tolist()):
        points = [
            _point(int(joint), keypoints[i, joint], finite_or_none(float(scores[i, joint])))
            for joint in np.flatnonzero(known[i])
        ]
        yield {
            "track_id": [track_id],
            "score": [box_scores[i]],
            "bbox": boxes[i],
            "annopoints": [{"point": points}],
        }


def _point(joint: int, place: NDArray[np.float64], score: float | None) -> dict[str, Any]:
    x, y = place.tolist()
    point: dict[str, Any] = {"id": [joint], "x": [x], "y": [y]}
    return point if score is None else point | {"score": [score]}


def _dummy() -> dict[str, Any]:
    point = _point(0, np.zeros(2), DUMMY_SCORE)
    return {"track_id": [0], "score": [DUMMY_SCORE], "annopoints": [{"point": [point]}]}


def open_posetrack17(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens PoseTrack 2017's form, results and annotations alike.

    Annotated joints have no score and get 1. People of whom nothing is known, and dummies, are left out.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    document = open_document(path)
    video = video_from(document)
    pictures = document["annolist"]

    def indices() -> Iterator[int]:
        for i, picture in enumerate(pictures.items()):
            with suppress(PosecliError):  # said by poses()
                yield _index(picture, i)

    def poses() -> Iterator[Poses]:
        seen: set[int] = set()
        for i, picture in enumerate(pictures.items()):
            with entry():
                frame = _frame(picture, i, video)
                if frame.frame_index in seen:
                    picture.fail(f"frame {frame.frame_index} appears twice")
                seen.add(frame.frame_index)
                people = _people_of(picture, entry)
                yield stack_people(frame, people) if people else frame

    return PoseStream(video, POSETRACK17, provenance_from(document), by_index(poses, indices()))


def _people_of(picture: Node, entry: Entry) -> list[Person]:
    people = []
    for person in picture["annorect"].items():
        with entry():
            if not _is_nobody(person):
                people.append(_person(person))
    return people


def _index(picture: Node, position: int) -> int:
    if picture.has("frame_index"):
        return picture["frame_index"].single().integer()
    return picture["imgnum"].single().integer() - 1 if picture.has("imgnum") else position


def _frame(entry: Node, position: int, video: VideoInfo) -> Poses:
    index = _index(entry, position)
    time_s = math.nan
    if entry.has("time_s") and entry["time_s"].single().value is not None:
        time_s = entry["time_s"].single().number()
    picture = entry["image"].single()["name"].text()
    name = name_from_picture(video, index, picture)
    return Poses.empty(index, time_s, len(POSETRACK17), name)


def _points(person: Node) -> list[Node]:
    annopoints = list(person["annopoints"].items()) if person.has("annopoints") else []
    return list(annopoints[0]["point"].items()) if annopoints and annopoints[0].has("point") else []


def _is_nobody(person: Node) -> bool:
    points = _points(person)
    if not points:
        return not person.has("bbox")
    is_single = len(points) == 1 and points[0].has("score")
    return is_single and points[0]["score"].single().number() <= DUMMY_SCORE


def _person(person: Node) -> Person:
    keypoints = np.full((len(POSETRACK17), 2), np.nan, np.float32)
    scores = np.full(len(POSETRACK17), np.nan, np.float32)
    for point in _points(person):
        joint = point["id"].single().integer()
        if not 0 <= joint < len(POSETRACK17):
            point["id"].fail(f"a joint from 0 to {len(POSETRACK17) - 1} expected, found {joint}")
        keypoints[joint] = point["x"].single().number(), point["y"].single().number()
        scores[joint] = point["score"].single().number() if point.has("score") else 1.0
    box = box_from(person) if person.has("bbox") else box_around(keypoints[None])[0]
    score = person["score"].single().number() if person.has("score") else 1.0
    track_id = person["track_id"].single().integer() if person.has("track_id") else NO_TRACK
    return track_id, box, score, keypoints, scores
