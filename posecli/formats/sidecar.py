"""The file beside a file that has no room for everything: `poses.csv.info.json` beside `poses.csv`.

It is what COCO calls image info: info (provenance), videos, images and categories. A bare list of results and
a CSV would otherwise lose the provenance, the video's data and the pictures without people. Where the main
file has no room for the people's boxes either, they stand in `annotations`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posecli.formats.base import NO_TRACK, Contents
from posecli.formats.coco import (
    CocoWriter,
    box_entries,
    box_from,
    frame_of,
    frames_from,
    provenance_from,
    skeleton_from,
    video_from,
)
from posecli.formats.document import read_document
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses, VideoInfo


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of `path` belongs; the null device for a pipe, which has nothing beside it."""
    is_pipe = path.exists() and not path.is_file()
    return Path(os.devnull) if is_pipe else path.with_name(path.name + ".info.json")


class SidecarWriter(CocoWriter):
    """Writes the file beside `path`: a CocoWriter that leaves out the keypoints, or the people altogether."""

    def __init__(self, path: Path, contents: Contents, *, boxes: bool) -> None:
        super().__init__(sidecar_path(path), contents)
        self._boxes = boxes

    def annotations(self, poses: Poses) -> Iterator[dict[str, Any]]:
        return box_entries(poses) if self._boxes else iter(())


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar tells; nothing where there is none."""

    video: VideoInfo
    skeleton: Skeleton | None
    frames: dict[int, Poses]  # by image id, which is the frame's index in files of ours; without people
    boxes: dict[tuple[int, int], tuple[FloatArray, float]]  # frame index and track id to corners and score
    provenance: dict[str, Any]


def read_sidecar(path: Path) -> Sidecar:
    """The sidecar of the pose file `path`; an empty one if there is none.

    Raises:
        PosecliError: it is malformed.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        return Sidecar(VideoInfo("", 0, 0, None, None, None), None, {}, {}, {})
    document = read_document(beside)
    video = video_from(document)
    skeleton = skeleton_from(document)
    frames = frames_from(document, video, len(skeleton))
    boxes = {}
    for annotation in document["annotations"].items() if document.has("annotations") else ():
        track_id = annotation["track_id"].integer() if annotation.has("track_id") else NO_TRACK
        score = annotation["score"].number() if annotation.has("score") else 1.0
        boxes[frame_of(annotation, frames).frame_index, track_id] = (box_from(annotation), score)
    return Sidecar(video, skeleton, frames, boxes, provenance_from(document))
