"""Footage: labelled sequences of pictures on disk, in one shape whatever layout they came in.

A layout's reader (posetrack17.py, posetrack18.py, jhmdb.py, clips.py, people.py) makes Footage; training windows,
evaluation and the result files' writers only know Footage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from posecli.data.packed import PackedPeople
from posecli.data.people import Person, Picture
from posecli.skeletons import COCO, Skeleton, convert
from posecli.types import FloatArray, Image
from posecli.video.pictures import read_picture


@dataclass(frozen=True, slots=True)
class FootageFrame:
    """One picture of a sequence."""

    path: Path
    name: str  # as the annotation file names it, such as images/val/000342_mpii_test/000000.jpg
    image_id: int  # the annotation file's, or the place where it has none; negative if it lacks the picture
    labelled: bool  # whether its people are labelled (a labelled picture may be empty)


class PictureSource(Protocol):
    """Random access to decoded pictures, by place in a sequence."""

    def __getitem__(self, index: int) -> Image: ...


BoxSource = Literal["annotation", "mask", "joints"]


@dataclass(frozen=True, slots=True)
class Footage:
    """A sequence of pictures and everyone labelled in it. Nothing is decoded before it is asked for.

    People are there as the layout has them: those without any keypoint, too. One without a box, a keypoint and a
    head box has the box 0, 0, 0, 0.
    """

    name: str
    skeleton: Skeleton
    frames: tuple[FootageFrame, ...]  # every picture, in order
    people: Mapping[int, tuple[Person, ...]]  # by place in frames; places without people may be left out
    ignored: Mapping[int, tuple[FloatArray, ...]]  # by place in frames: polygons (n, 2) of pixels
    annotation: Path | None = None  # the file that the labels came from
    frame_rate: float = 25.0  # pictures a second; nominal where the layout has none
    box_source: BoxSource = "annotation"  # what the people's boxes are: labels, or made from masks or joints
    pictures: PictureSource | None = None  # where the pictures come from, unless each has a file of its own

    def __len__(self) -> int:
        return len(self.frames)

    def image(self, index: int) -> Image:
        """The picture at a place, decoded now.

        Raises:
            PosecliError: the file is missing or no picture.
        """
        if self.pictures is not None:
            return self.pictures[index]
        return read_picture(self.frames[index].path)

    def tracks(self) -> dict[int, dict[int, Person]]:
        """track id -> place -> person; regions to ignore are no tracks."""
        return tracks_of(self.people)

    def in_skeleton(self, skeleton: Skeleton) -> Footage:
        """The same footage with its keypoints in another skeleton's order; joints that it lacks are unlabelled."""
        if skeleton.name == self.skeleton.name:
            return self
        people = {
            index: [convert_person(person, self.skeleton, skeleton) for person in group]
            for index, group in self.people.items()
        }
        return replace(self, skeleton=skeleton, people=PackedPeople(people))


def tracks_of(people: Mapping[int, tuple[Person, ...]]) -> dict[int, dict[int, Person]]:
    """track id -> place -> person; regions to ignore are no tracks."""
    tracks: dict[int, dict[int, Person]] = {}
    for index, group in sorted(people.items()):
        for person in group:
            if not person.crowd:
                tracks.setdefault(person.track_id, {})[index] = person
    return tracks


def convert_person(person: Person, source: Skeleton, target: Skeleton) -> Person:
    """A person with keypoints in another skeleton's order; those that the source lacks (or only implies) unlabelled."""
    keypoints, labelled = convert(person.keypoints[None], person.labelled[None], source, target)
    known = np.array([name in source.keypoints for name in target.keypoints])
    labelled = np.where(known, np.nan_to_num(labelled[0]), 0).astype(np.float32)
    return Person(
        person.box,
        np.where(labelled[:, None] > 0, keypoints[0], 0).astype(np.float32),
        labelled,
        person.human,
        person.crowd,
        person.track_id,
        person.head_box,
        person.area,
    )


def still_footage(picture: Picture) -> Footage:
    """A still as footage of one frame, whose neighbours are itself."""
    frame = FootageFrame(picture.path, picture.path.name, picture.image_id, labelled=True)
    return Footage(picture.path.stem, COCO, (frame,), PackedPeople({0: picture.people}), {})
