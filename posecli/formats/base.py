"""What every format shares: the writer's interface, numbers as text, and the names of pictures."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.skeletons import DERIVED_JOINTS, Skeleton, convert
from posecli.types import FloatArray, Poses, Tracks, VideoInfo

# Track id, box (4,), box score, keypoints (K, 2), keypoint scores (K,).
Person = tuple[int, FloatArray, float, FloatArray, FloatArray]

NO_TRACK = 0  # the id of people in files that know no tracks


class PoseWriter(ABC):
    """Writes poses one picture after the other; a context manager.

    The file appears under its name when the block ends well; when it ends with an exception nothing is left
    behind and an earlier file is untouched. Memory does not grow with the number of pictures.
    """

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def write(self, poses: Poses) -> None:
        """Adds one picture, people or not; pictures come in order of their index."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Contents:
    """What a writer knows before the first picture."""

    video: VideoInfo
    skeleton: Skeleton  # of the poses that will be written
    provenance: dict[str, Any]


def shortest(values: FloatArray) -> NDArray[np.float64]:
    """float32 numbers as the float64 numbers of fewest digits that become the same float32 again.

    0.1 stays "0.1" in a text file, not "0.10000000149011612".
    """
    return np.asarray(values, np.float32).astype("U32").astype(np.float64)


def box_to_xywh(xyxy: FloatArray) -> NDArray[np.float64]:
    """(n, 4) corners to x, y, width, height, exactly invertible by xywh_to_box."""
    corner = shortest(xyxy[:, :2])
    exact = shortest(xyxy[:, 2:]) - corner
    rounded = np.round(exact, 9)  # without the noise of the subtraction, where that loses nothing
    keeps = (corner + rounded).astype(np.float32) == xyxy[:, 2:]
    return np.concatenate([corner, np.where(keeps, rounded, exact)], axis=1)


def xywh_to_box(xywh: NDArray[np.float64]) -> FloatArray:
    """(n, 4) x, y, width, height to corners."""
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1).astype(np.float32)


def finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def weighted_by_box(poses: Poses) -> Poses:
    """With each keypoint's score times its box's: what PoseTrack's kits rank joints by."""
    return replace(poses, scores=poses.scores * poses.tracks.scores[:, None])


def estimated(poses: Poses) -> NDArray[np.bool_]:
    """(n, K): which keypoints have a place."""
    return np.asarray(np.isfinite(poses.keypoints).all(axis=-1))


def box_around(keypoints: FloatArray) -> FloatArray:
    """(n, K, 2) to (n, 4): the extent of the estimated keypoints, zeros where there are none."""
    boxes = np.zeros((len(keypoints), 4), np.float32)
    for i, points in enumerate(keypoints):
        known = points[np.isfinite(points).all(axis=-1)]
        if len(known):
            boxes[i] = *known.min(axis=0), *known.max(axis=0)
    return boxes


def mean_score(scores: FloatArray) -> float:
    """Of a person whose own score is not known: the mean of the keypoints' (K,), 0 where there are none."""
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else 0.0


def sequence_name(video: VideoInfo) -> str:
    """A name for the clip: the video's file name without its suffix, or the picture folder's name."""
    path = Path(video.path)
    if "*" in path.name or "?" in path.name:
        path = path.parent
    return path.stem or "video"


def picture_name(video: VideoInfo, poses: Poses) -> str:
    """The picture's own file name, or for a video's frame an invented one."""
    return poses.name or _invented_name(video, poses.frame_index)


def name_from_picture(video: VideoInfo, frame_index: int, picture: str | None) -> str | None:
    """The inverse of picture_name: None for an invented name, and a name without the sequence's folder."""
    if picture is None or picture == _invented_name(video, frame_index):
        return None
    return picture.removeprefix(sequence_name(video) + "/")


def _invented_name(video: VideoInfo, frame_index: int) -> str:
    return f"{sequence_name(video)}/{frame_index:06d}.jpg"


def converted(contents: Contents, target: Skeleton) -> Contents:
    """The contents in another skeleton. The provenance tells of the conversion: of the first, if there were several."""
    provenance = conversion(contents.skeleton, target) | contents.provenance
    return Contents(contents.video, target, provenance)


def conversion(source: Skeleton, target: Skeleton) -> dict[str, Any]:
    """What a provenance tells of poses that were converted; nothing if they were not."""
    if source == target:
        return {}
    derived = [name for name in DERIVED_JOINTS if name in target.keypoints]
    return {"converted_from": source.name} | (
        {"derived_joints": derived} if source.name == "coco" and derived else {}
    )


def convert_poses(poses: Poses, source: Skeleton, target: Skeleton) -> Poses:
    if source == target:
        return poses
    keypoints, scores = convert(poses.keypoints, poses.scores, source, target)
    return replace(poses, keypoints=keypoints, scores=scores)


def repeated(ids: NDArray[np.int64]) -> int | None:
    """A track id that more than one person of a picture has; None if there is none."""
    values, counts = np.unique(ids, return_counts=True)
    return int(values[counts > 1][0]) if len(values) < len(ids) else None


def fill_frames(frames: Iterable[Poses], people: dict[int, list[Person]]) -> list[Poses]:
    """The frames, in order of their index, with the people of each index."""
    filled = [
        stack_people(frame, people[frame.frame_index]) if frame.frame_index in people else frame
        for frame in frames
    ]
    return sorted(filled, key=lambda frame: frame.frame_index)


def stack_people(frame: Poses, people: list[Person]) -> Poses:
    """The frame with these people on it."""
    ids, boxes, box_scores, keypoints, scores = zip(*people, strict=True)
    tracks = Tracks(np.array(ids, np.int64), np.stack(boxes), np.array(box_scores, np.float32))
    return replace(frame, tracks=tracks, keypoints=np.stack(keypoints), scores=np.stack(scores))
