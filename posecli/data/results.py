"""Result files of a dataset, one a sequence: what PoseTrack's evaluation kits and servers take.

The kits pair a result file with the annotation file of the same name, and their pictures by place: every picture that
the annotations list is there, under its own name and id, whether anyone was estimated on it or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from posecli.data.footage import Footage, FootageFrame
from posecli.formats.base import Contents
from posecli.formats.coco import CocoWriter
from posecli.formats.posetrack17 import Posetrack17Writer
from posecli.formats.posetrack18 import Posetrack18Writer
from posecli.types import Poses, VideoInfo

ResultForm = Literal["posetrack17", "posetrack18", "coco"]
RESULT_FORMS: tuple[ResultForm, ...] = get_args(ResultForm)


def write_results(
    path: Path, footage: Footage, poses: Iterable[Poses], form: ResultForm, provenance: dict[str, Any]
) -> None:
    """One sequence's file.

    Args:
        path: the file, replaced when all is written.
        poses: of some of the sequence's frames, in order, in its skeleton; frame_index is the place in
            footage.frames. The joints' scores are written as they are.
        form: PoseTrack's of 2017 (15 joints, a dummy person where there is nobody) or 2018 (17 slots), or
            posecli's own COCO style in the dataset's skeleton.
        provenance: what the file shall tell of its making.

    Raises:
        PosecliError: the file cannot be written, or the sequence's first picture cannot be read.
    """
    contents = Contents(_video(footage), footage.skeleton, provenance)
    listed = [place for place, frame in enumerate(footage.frames) if frame.image_id >= 0]
    found = {frame.frame_index: frame for frame in poses}
    with _writer(path, contents, form, footage.frames) as writer:
        for place in listed:
            writer.write(found[place] if place in found else _nobody(footage, place))


def result_name(footage: Footage, sequences: Iterable[Footage]) -> str:
    """The file's name: the annotations', or where several sequences share those, the sequence's."""
    sharing = sum(other.annotation == footage.annotation for other in sequences)
    is_own = footage.annotation is not None and footage.annotation.suffix == ".json" and sharing == 1
    return footage.annotation.name if is_own and footage.annotation else f"{footage.name}.json"


def _writer(
    path: Path, contents: Contents, form: ResultForm, frames: tuple[FootageFrame, ...]
) -> Posetrack17Writer | CocoWriter:
    if form == "posetrack17":
        return Posetrack17Writer(path, contents)
    return (_Posetrack18Results if form == "posetrack18" else _CocoResults)(path, contents, frames)


class _CocoResults(CocoWriter):
    """Pictures under the annotations' ids."""

    def __init__(self, path: Path, contents: Contents, frames: tuple[FootageFrame, ...]) -> None:
        super().__init__(path, contents)
        self._frames = frames

    def image(self, poses: Poses) -> dict[str, Any]:
        return super().image(poses) | {"id": self._frames[poses.frame_index].image_id}

    def annotations(self, poses: Poses) -> Iterator[dict[str, Any]]:
        image_id = self._frames[poses.frame_index].image_id
        return (annotation | {"image_id": image_id} for annotation in super().annotations(poses))


class _Posetrack18Results(_CocoResults, Posetrack18Writer):
    """The same in PoseTrack 2018's form, whose frame_id is the picture's id."""

    def image(self, poses: Poses) -> dict[str, Any]:
        return super().image(poses) | {"frame_id": self._frames[poses.frame_index].image_id}


def _video(footage: Footage) -> VideoInfo:
    height, width = footage.image(0).shape[:2]
    first = footage.frames[0].path
    path = first.parent if footage.pictures is None else first
    return VideoInfo(str(path), width, height, footage.frame_rate, None, len(footage))


def _nobody(footage: Footage, place: int) -> Poses:
    time_s = place / footage.frame_rate
    return Poses.empty(place, time_s, len(footage.skeleton), footage.frames[place].name)
