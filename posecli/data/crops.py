"""Training crops of single people, from stills, clips or rendered scenes, for the pose encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator

from posecli.data.augment import NO_AUGMENTATION, Augmentation, draw
from posecli.data.footage import Footage
from posecli.data.people import Person, Picture
from posecli.geometry.crop import Affine, apply_affine, warp
from posecli.skeletons import COCO, Skeleton
from posecli.types import FloatArray, Image
from posecli.video.pictures import read_picture


@dataclass(frozen=True, slots=True)
class Crop:
    """One training or validation sample."""

    image: Image  # (height, width, 3)
    keypoints: FloatArray  # (K, 2) crop pixels
    weights: FloatArray  # (K,) 0 where there is no label
    box_height: float  # the person's own box, in crop pixels: what PCK is measured against
    group: str
    affine: Affine  # picture to crop
    mirror: bool
    human: FloatArray  # (K,) 1 where a human labelled the keypoint


class PeopleSource(Protocol):
    """Random access to pictures of labelled people."""

    def __len__(self) -> int: ...

    def load(self, index: int, rng: Generator) -> tuple[Image, Person, str]:
        """A whole picture, one person in it, and the name of the group that it belongs to."""
        ...


class StillPeople:
    """Everyone in a list of pictures who has enough labelled keypoints.

    Args:
        human: only those whom a human labelled.
        min_side: pixels; only those whose box has a longer side of at least that.
    """

    def __init__(
        self,
        pictures: list[Picture],
        min_keypoints: int = 1,
        human: bool = False,
        min_side: float = 0.0,
    ) -> None:
        self._people = [
            (picture, person)
            for picture in pictures
            for person in picture.people
            if not person.crowd
            and person.labelled.sum() >= min_keypoints
            and (person.human or not human)
            and (person.box[2:] - person.box[:2]).max() >= min_side
        ]

    def __len__(self) -> int:
        return len(self._people)

    def picture(self, index: int) -> Image:
        return read_picture(self._people[index][0].path)

    def box(self, index: int) -> FloatArray:
        return self._people[index][1].box

    def moment(self, index: int) -> tuple[str, int, int]:
        """A still has no neighbours in time."""
        return self._people[index][0].path.name, index, 0

    def load(self, index: int, rng: Generator) -> tuple[Image, Person, str]:
        picture, person = self._people[index]
        return read_picture(picture.path), person, picture.group


class SequencePeople:
    """Everyone in every `stride`-th frame of labelled footage who has enough labelled keypoints.

    Args:
        group: what PCK is reported by; None: each sequence by its name.
    """

    def __init__(
        self, sequences: Sequence[Footage], min_keypoints: int = 1, stride: int = 1, group: str | None = None
    ) -> None:
        self._sequences, self._group = sequences, group
        chosen = [
            (number, place, position)
            for number, sequence in enumerate(sequences)
            for place, people in sequence.people.items()
            for position, person in enumerate(people)
            if place % stride == 0 and not person.crowd and person.labelled.sum() >= min_keypoints
        ]
        self._people_n3 = np.array(chosen, np.int32).reshape(-1, 3)  # sequence, place, person at that place

    def __len__(self) -> int:
        return len(self._people_n3)

    def picture(self, index: int) -> Image:
        number, place, _ = self._people_n3[index].tolist()
        return self._sequences[number].image(place)

    def box(self, index: int) -> FloatArray:
        return self._person(index).box

    def moment(self, index: int) -> tuple[str, int, int]:
        """(sequence, track, place)."""
        number, place, _ = self._people_n3[index].tolist()
        return self._sequences[number].name, self._person(index).track_id, place

    def _person(self, index: int) -> Person:
        number, place, position = self._people_n3[index].tolist()
        return self._sequences[number].people[place][position]

    def load(self, index: int, rng: Generator) -> tuple[Image, Person, str]:
        number, place, position = self._people_n3[index].tolist()
        sequence = self._sequences[number]
        group = sequence.name if self._group is None else self._group
        return sequence.image(place), sequence.people[place][position], group


def make_crop(
    image: Image,
    person: Person,
    group: str,
    size: tuple[int, int],
    rng: Generator,
    augmentation: Augmentation = NO_AUGMENTATION,
    human_weight: float = 1.0,
    skeleton: Skeleton = COCO,
) -> Crop:
    """Cut one person out of a picture.

    Args:
        size: (height, width) of the crop.
        human_weight: how much more than a teacher's a human's label counts.
    """
    drawn = draw(rng, augmentation, person.box, person.keypoints, person.labelled, skeleton, size)
    affine = drawn.affine(size)
    crop = drawn.recolor(warp(image, affine, size))
    keypoints = apply_affine(affine, person.keypoints)
    weights = person.labelled * (human_weight if person.human else 1.0)
    human = person.labelled * float(person.human)
    if drawn.mirror:
        order = skeleton.flip
        keypoints, weights, human = keypoints[order], weights[order], human[order]
    weights = weights * inside(keypoints, size)
    scale = (size[0] - 1) / drawn.box.height
    box_height = float(person.box[3] - person.box[1]) * scale
    labels = keypoints.astype(np.float32), weights.astype(np.float32)
    return Crop(crop, *labels, box_height, group, affine, drawn.mirror, human)


def inside(keypoints: FloatArray, size: tuple[int, int]) -> FloatArray:
    """1 for keypoints (..., 2) within a crop of `size` (height, width), else 0."""
    limit = np.array([size[1] - 1, size[0] - 1], np.float32)
    return np.all((keypoints >= 0) & (keypoints <= limit), axis=-1).astype(np.float32)
