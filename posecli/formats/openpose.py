"""OpenPose's JSON (`openpose`): a folder with one file a frame, named VIDEO_000000000000_keypoints.json.

Each file is an object of `version` and `people`; a person's `pose_keypoints_2d` are x, y, confidence of the 25
keypoints of OpenPose's BODY_25 (github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md). COCO's 17 are
among them; Neck and MidHip are the middle of shoulders and hips, and the feet are not estimated. What is not
estimated is 0, 0, 0. `person_id` is the track id. Boxes, times and provenance stand in the sidecar beside the folder.

Files of BODY_25 and of OpenPose's COCO model (18 keypoints) are read, as COCO's 17; one file alone is one frame.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFolder
from posecli.formats.base import (
    Contents,
    Person,
    PoseWriter,
    box_around,
    convert_poses,
    converted,
    mean_score,
    sequence_name,
    stack_people,
)
from posecli.formats.coco import dumps
from posecli.formats.document import Node, read_document
from posecli.formats.scored import scored_triples, split_triples
from posecli.formats.sidecar import Sidecar, SidecarWriter, read_sidecar
from posecli.formats.stream import NO_VIDEO, Entry, PoseStream
from posecli.skeletons import COCO
from posecli.types import Poses

PATTERN = "*_keypoints.json"
VERSION = 1.3
MOST_BYTES = 1 << 26  # of one frame's file
BODY_25 = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
    "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
    "right_small_toe", "right_heel",
)  # fmt: skip
BODY_18 = tuple(name for name in BODY_25[:19] if name != "mid_hip")
MIDDLES = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
EMPTY = (
    "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d",
    "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d",
)  # fmt: skip


class OpenposeWriter(PoseWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        self._skeleton = contents.skeleton
        self._name = sequence_name(contents.video)
        self._folder = ReplacingFolder(path, PATTERN)
        self._sidecar = SidecarWriter(path, converted(contents, COCO), boxes=True)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._folder)
        # Entered last, finished first: should it fail, the folder is not put in place either.
        self._stack.enter_context(self._sidecar)
        return self

    def write(self, poses: Poses) -> None:
        poses = convert_poses(poses, self._skeleton, COCO)
        self._sidecar.write(poses)
        people = [
            {"person_id": [track_id], "pose_keypoints_2d": triples} | {name: [] for name in EMPTY}
            for track_id, triples in zip(poses.tracks.ids.tolist(), _body_25(poses), strict=True)
        ]
        name = f"{self._name}_{poses.frame_index:012d}_keypoints.json"
        self._folder.write(name, dumps({"version": VERSION, "people": people}) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def _body_25(poses: Poses) -> list[list[float]]:
    """Of each person x, y and confidence of BODY_25's keypoints in one list."""
    places = {name: i for i, name in enumerate(COCO.keypoints)}
    points = np.full((len(poses), len(BODY_25), 2), np.nan, np.float32)
    scores = np.full((len(poses), len(BODY_25)), np.nan, np.float32)
    for i, name in enumerate(BODY_25):
        if name in places:
            points[:, i], scores[:, i] = poses.keypoints[:, places[name]], poses.scores[:, places[name]]
        elif name in MIDDLES:
            a, b = (places[side] for side in MIDDLES[name])
            points[:, i] = (poses.keypoints[:, a] + poses.keypoints[:, b]) / 2
            scores[:, i] = np.minimum(poses.scores[:, a], poses.scores[:, b])
    return scored_triples(points, scores)


def open_openpose(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens a folder of OpenPose's files, or one of them.

    Raises:
        PosecliError: there are none, or one is not of that form; the message says where.
    """
    files = frame_files(path) if path.is_dir() else {0: path}
    sidecar = read_sidecar(path, entry)
    known = sidecar.frames_by_index()
    if not files and sidecar.video is NO_VIDEO:
        raise PosecliError(f"{path} is a folder without OpenPose's files ({PATTERN})")

    def poses() -> Iterator[Poses]:
        for index in sorted(known.keys() | files.keys()):
            frame = known.get(index, Poses.empty(index, math.nan, len(COCO)))
            with entry():
                people = list(_people(files[index], index, sidecar, entry)) if index in files else []
                yield stack_people(frame, people) if people else frame

    return PoseStream(sidecar.video, COCO, sidecar.provenance, poses())


def is_openpose(path: Path) -> bool:
    """Whether this is a folder of OpenPose's files."""
    return path.is_dir() and any(path.glob(PATTERN))


def frame_files(folder: Path) -> dict[int, Path]:
    """The files of a folder by the frame's number, the last one in their names.

    Raises:
        PosecliError: two are of one frame.
    """
    files: dict[int, Path] = {}
    for path in sorted(folder.glob(PATTERN)):
        number = re.search(r"(\d{1,15})_keypoints\.json$", path.name)
        if path.is_symlink() or not path.is_file() or number is None:
            continue
        if int(number[1]) in files:
            raise PosecliError(f"{folder}: {path.name} and {files[int(number[1])].name} are of one frame")
        files[int(number[1])] = path
    return files


def _people(path: Path, frame: int, sidecar: Sidecar, entry: Entry) -> Iterator[Person]:
    if path.stat().st_size > MOST_BYTES:
        raise PosecliError(f"{path}: larger than a frame's poses can be")
    people = list(read_document(path)["people"].items())
    ids = [_track_id(person) for person in people]
    if None in ids or len(set(ids)) < len(ids):
        ids = list(range(1, len(people) + 1))  # OpenPose writes -1: it tracks nobody
    for track_id, person in zip(ids, people, strict=True):
        with entry():
            if (found := _person(person, track_id or 0, sidecar, frame)) is not None:
                yield found


def _track_id(person: Node) -> int | None:
    if not person.has("person_id") or not isinstance(person["person_id"].value, list):
        return None
    number = person["person_id"].single().integer()
    return number if number >= 0 else None


def _person(person: Node, track_id: int, sidecar: Sidecar, frame: int) -> Person | None:
    keypoints, scores = split_triples(_coco_triples(person["pose_keypoints_2d"]))
    beside = sidecar.person(frame, track_id)
    if beside:
        return track_id, beside.box, beside.score, keypoints, scores
    if np.isnan(scores).all():
        return None  # of whom only face or hands were seen
    return track_id, box_around(keypoints[None])[0], mean_score(scores), keypoints, scores


def _coco_triples(node: Node) -> NDArray[np.float64]:
    """(17, 3) from the numbers of BODY_25 or BODY_18."""
    size: Any = len(node.value) if isinstance(node.value, list) else None
    names = {3 * len(BODY_25): BODY_25, 3 * len(BODY_18): BODY_18}.get(size)
    if names is None:
        node.fail(f"a list of {3 * len(BODY_25)} numbers (BODY_25) or {3 * len(BODY_18)} (COCO) expected")
    numbers = node.numbers(3 * len(names)).reshape(-1, 3)
    return numbers[[names.index(name) for name in COCO.keypoints]]
