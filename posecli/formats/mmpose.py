"""MMPose's predictions (`mmpose`): what its video demo saves, an entry of `instance_info` a frame.

    {"meta_info": {...}, "instance_info": [{"frame_id": 0, "instances": [{"keypoints": [[x, y], ...],
     "keypoint_scores": [...], "bbox": [[x0, y0, x1, y1]], "bbox_score": 0.9}]}]}

(github.com/open-mmlab/mmpose, demo/topdown_demo_with_mmdet.py and split_instances of mmpose/structures/utils.py). The
bare list of the entries, which MMPose's inferencer saves, is read as well. `track_id` of an instance, `time_s` and
`file_name` of a frame, and `info` and `videos` as in COCO dataset style are ours. A keypoint that could not be
estimated is [0, 0] with score null.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import (
    NO_TRACK,
    Contents,
    Person,
    PoseWriter,
    box_around,
    estimated,
    finite_or_none,
    shortest,
    stack_people,
)
from posecli.formats.coco import dumps, provenance_from, video_entry, video_from
from posecli.formats.document import Node
from posecli.formats.json_stream import open_document
from posecli.formats.stream import NO_VIDEO, Entry, PoseStream, by_index
from posecli.skeletons import COCO, SKELETONS, Skeleton
from posecli.types import FloatArray, Poses


class MmposeWriter(PoseWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        self._contents = contents
        self._output = ReplacingFile(path)
        self._separator = "\n"

    def __enter__(self) -> Self:
        contents = self._contents
        self._file = self._output.__enter__()
        self._file.write(
            f'{{"info":{dumps(contents.provenance)},\n"videos":[{dumps(video_entry(contents.video))}],\n'
            f'"meta_info":{dumps(meta_info(contents.skeleton))},\n"instance_info":['
        )
        return self

    def write(self, poses: Poses) -> None:
        entry = {"frame_id": poses.frame_index, "time_s": finite_or_none(poses.time_s)}
        name = {} if poses.name is None else {"file_name": poses.name}
        self._file.write(self._separator + dumps(entry | name | {"instances": list(_instances(poses))}))
        self._separator = ",\n"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write("]}\n")
        self._output.__exit__(kind, error, trace)


def meta_info(skeleton: Skeleton) -> dict[str, Any]:
    """The part of MMPose's dataset meta that tells the keypoints."""
    return {
        "dataset_name": skeleton.name,
        "num_keypoints": len(skeleton),
        "keypoint_id2name": {str(i): name for i, name in enumerate(skeleton.keypoints)},
        "keypoint_name2id": {name: i for i, name in enumerate(skeleton.keypoints)},
        "skeleton_links": [list(limb) for limb in skeleton.limb_indices],
        "sigmas": list(skeleton.sigmas),
    }


def _instances(poses: Poses) -> Iterator[dict[str, Any]]:
    known = estimated(poses)
    places = shortest(np.where(known[..., None], poses.keypoints, 0)).tolist()
    scores = shortest(np.where(known, poses.scores, np.nan)).tolist()
    boxes, box_scores = shortest(poses.tracks.xyxy).tolist(), shortest(poses.tracks.scores).tolist()
    for i, track_id in enumerate(poses.tracks.ids.tolist()):
        yield {
            "track_id": track_id,
            "keypoints": places[i],
            "keypoint_scores": [finite_or_none(score) for score in scores[i]],
            "bbox": [boxes[i]],
            "bbox_score": box_scores[i],
        }


def open_mmpose(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens MMPose's predictions.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    document = open_document(path)
    is_bare = not isinstance(document.value, dict)
    frames = document if is_bare else document["instance_info"]
    skeleton = COCO if is_bare else _skeleton(document)

    def indices() -> Iterator[int]:
        for node in frames.items():
            with suppress(PosecliError):  # said by poses()
                yield node["frame_id"].integer()

    def poses() -> Iterator[Poses]:
        seen: set[int] = set()
        for node in frames.items():
            with entry():
                frame = _frame(node, len(skeleton))
                if frame.frame_index in seen:
                    node.fail(f"frame {frame.frame_index} appears twice")
                seen.add(frame.frame_index)
                people = list(_people(node["instances"], len(skeleton), entry))
                yield stack_people(frame, people) if people else frame

    video = NO_VIDEO if is_bare else video_from(document)
    provenance = {} if is_bare else provenance_from(document)
    return PoseStream(video, skeleton, provenance, by_index(poses, indices()))


def _skeleton(document: Node) -> Skeleton:
    if not document.has("meta_info") or not document["meta_info"].has("keypoint_id2name"):
        return COCO
    node = document["meta_info"]["keypoint_id2name"]
    names = tuple(node.value.values()) if isinstance(node.value, dict) else ()
    for skeleton in SKELETONS.values():
        if skeleton.keypoints == names:
            return skeleton
    return node.fail(f"keypoints in an unknown order; known are {', '.join(SKELETONS)}")


def _frame(node: Node, num_keypoints: int) -> Poses:
    time_s = node["time_s"].number() if node.has("time_s") else math.nan
    name = node["file_name"].text() if node.has("file_name") else None
    return Poses.empty(node["frame_id"].integer(), time_s, num_keypoints, name)


def _people(instances: Node, num_keypoints: int, entry: Entry) -> Iterator[Person]:
    for node in instances.items():
        with entry():
            keypoints, scores = _keypoints(node, num_keypoints)
            box = _box(node["bbox"]) if node.has("bbox") else box_around(keypoints[None])[0]
            score = node["bbox_score"].number() if node.has("bbox_score") else 1.0
            track_id = node["track_id"].integer() if node.has("track_id") else NO_TRACK
            yield track_id, box, score, keypoints, scores


def _keypoints(node: Node, num_keypoints: int) -> tuple[FloatArray, FloatArray]:
    points = list(node["keypoints"].items())
    if len(points) != num_keypoints:
        node["keypoints"].fail(f"{num_keypoints} keypoints expected, found {len(points)}")
    places = np.stack([point.numbers(2) for point in points])
    scores = node["keypoint_scores"].numbers(num_keypoints, nulls=True)
    missing = np.isnan(scores) & (places == 0).all(axis=1)
    keypoints = np.where(missing[:, None], np.nan, places).astype(np.float32)
    return keypoints, scores.astype(np.float32)


def _box(node: Node) -> FloatArray:
    """Corners, which MMPose has in a list of one; in some versions without it."""
    is_wrapped = isinstance(node.value, list) and len(node.value) == 1
    return (node.single() if is_wrapped else node).numbers(4).astype(np.float32)
