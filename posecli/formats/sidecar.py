"""The file beside a file that has no room for everything: `poses.csv.info.json` beside `poses.csv`.

It is what COCO calls image info: info (provenance), videos, images and categories. A bare list of results and
a CSV would otherwise lose the provenance, the video's data and the pictures without people. Where the main
file has no room for the people's boxes or the keypoints' scores either, they stand in `annotations`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import NO_TRACK, Contents, repeated
from posecli.formats.coco import (
    CocoWriter,
    box_entries,
    box_from,
    frame_of,
    frames_from,
    keypoint_entries,
    provenance_from,
    skeleton_from,
    video_from,
)
from posecli.formats.json_stream import open_document
from posecli.formats.stream import NO_VIDEO, Entry
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses, VideoInfo

SUFFIX = ".info.json"


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of `path` belongs; the null device for a pipe, which has nothing beside it."""
    is_pipe = path.exists() and not path.is_file() and not path.is_dir()
    return Path(os.devnull) if is_pipe else path.with_name(path.name + SUFFIX)


class SidecarWriter(CocoWriter):
    """Writes the file beside `path`: a CocoWriter that leaves out the keypoints, or the people altogether.

    Args:
        boxes: whether the people's boxes are there. Readers find them by track id, so that no two people of a
            picture may have the same (write raises a PosecliError).
        scores: whether their keypoints' scores are, too.
    """

    def __init__(self, path: Path, contents: Contents, *, boxes: bool, scores: bool = False) -> None:
        super().__init__(sidecar_path(path), contents)
        self._path = path
        self._boxes, self._scores = boxes, scores

    def annotations(self, poses: Poses) -> Iterator[dict[str, Any]]:
        if not self._boxes:
            return
        if (track_id := repeated(poses.tracks.ids)) is not None:
            raise PosecliError(
                f"{self._path}: two people of frame {poses.frame_index} have track id {track_id}, and this format "
                "tells people apart by it; choose another, such as coco"
            )
        for person, keypoints in zip(box_entries(poses), keypoint_entries(poses), strict=True):
            scores = {"keypoint_scores": keypoints["keypoint_scores"]} if self._scores else {}
            yield person | scores


@dataclass(frozen=True, slots=True)
class Beside:
    """What a sidecar tells of one person."""

    box: FloatArray  # (4,) corners
    score: float
    keypoint_scores: FloatArray | None  # (K,)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar tells; nothing where there is none."""

    video: VideoInfo = NO_VIDEO
    skeleton: Skeleton | None = None
    frames: dict[int, Poses] = field(default_factory=dict)  # by image id (in files of ours the index), empty
    people: dict[int, dict[int, Beside]] = field(default_factory=dict)  # by frame index and track id
    provenance: dict[str, Any] = field(default_factory=dict)

    def frames_by_index(self) -> dict[int, Poses]:
        return {frame.frame_index: frame for frame in self.frames.values()}

    def person(self, frame_index: int, track_id: int) -> Beside | None:
        return self.people.get(frame_index, {}).get(track_id)


def read_sidecar(path: Path, entry: Entry = nullcontext) -> Sidecar:
    """The sidecar of the pose file `path`; an empty one if there is none.

    Raises:
        PosecliError: it is malformed.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        return Sidecar()
    document = open_document(beside)
    video = video_from(document)
    skeleton = skeleton_from(document)
    frames = frames_from(document, video, len(skeleton), entry)
    people: dict[int, dict[int, Beside]] = {}
    for annotation in document["annotations"].items() if document.has("annotations") else ():
        with entry():
            frame = frame_of(annotation, frames)
            track_id = annotation["track_id"].integer() if annotation.has("track_id") else NO_TRACK
            score = annotation["score"].number() if annotation.has("score") else 1.0
            scores = None
            if annotation.has("keypoint_scores"):
                scores = annotation["keypoint_scores"].numbers(len(skeleton), nulls=True).astype(np.float32)
            people.setdefault(frame.frame_index, {})[track_id] = Beside(box_from(annotation), score, scores)
    return Sidecar(video, skeleton, frames, people, provenance_from(document))
