"""Labelled people on single frames, and what has been said about them: all that the figures are made of.

Shapes: n sightings (a person on a frame), K keypoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posecli.data.clips import Clip
from posecli.data.people import Person, Picture, read_json
from posecli.skeletons import COCO
from posecli.types import FloatArray, IntArray

# Of lspet only the body was labelled by people: the face joints are Thunder's own.
FACE = tuple(COCO.index(name) for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
NO_FACE_LABELS = ("lspet",)

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A labelled person on one frame."""

    source: str  # a still's group or a clip's name
    frame: int  # of a clip; of a still its place in the list of pictures
    track_id: int  # unique within the frame
    person: Person
    touched: bool = False  # the frame was degraded
    covered: tuple[int, ...] = (0,) * len(COCO)  # keypoints with something in front


@dataclass(frozen=True, slots=True)
class Sightings:
    """The same as arrays, in the same order."""

    source: NDArray[np.str_]  # (n,)
    frame: IntArray  # (n,)
    track_id: IntArray  # (n,)
    box: FloatArray  # (n, 4) x0, y0, x1, y1 pixels
    keypoints: FloatArray  # (n, K, 2) pixels
    labelled: Bools  # (n, K)
    human: Bools  # (n,)
    touched: Bools  # (n,)
    covered: Bools  # (n, K)

    @classmethod
    def of(cls, sightings: Sequence[Sighting]) -> Sightings:
        people = [sighting.person for sighting in sightings]
        return cls(
            np.array([sighting.source for sighting in sightings]),
            np.array([sighting.frame for sighting in sightings], np.int64),
            np.array([sighting.track_id for sighting in sightings], np.int64),
            np.stack([person.box for person in people]),
            np.stack([person.keypoints for person in people]),
            np.stack([_trusted(sighting) for sighting in sightings]),
            np.array([person.human for person in people]),
            np.array([sighting.touched for sighting in sightings]),
            np.array([sighting.covered for sighting in sightings], bool),
        )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def height(self) -> FloatArray:
        """(n,) of the boxes, pixels."""
        return self.box[:, 3] - self.box[:, 1]

    def distances(self, points_nK2: FloatArray) -> FloatArray:
        """(n, K) from the labels, in box heights; NaN where there is no label."""
        distance = np.linalg.norm(points_nK2 - self.keypoints, axis=-1) / self.height[:, None]
        return np.where(self.labelled, distance, np.nan).astype(np.float32)


def _trusted(sighting: Sighting) -> Bools:
    """(K,) which joints are labelled by whoever labelled the person."""
    labelled = sighting.person.labelled > 0
    if sighting.person.human and sighting.source in NO_FACE_LABELS:
        labelled[list(FACE)] = False
    return labelled


def still_sightings(pictures: Iterable[Picture]) -> list[Sighting]:
    """Everyone with a labelled joint; track ids count within the picture."""
    return [
        sighting
        for place, picture in enumerate(pictures)
        for number, person in enumerate(picture.people, start=1)
        if _counts(sighting := Sighting(picture.group, place, number, person))
    ]


def clip_sightings(clip: Clip, block: int, every: int) -> list[Sighting]:
    """Everyone with a labelled joint on the frames of blocks of consecutive ones.

    Args:
        block: frames of a block.
        every: one block of so many counts; 1: all.
    """
    touched, covered = _marks(clip.path.with_suffix(".json"))
    return [
        sighting
        for frame, people in sorted(clip.people.items())
        if frame // block % every == 0
        for person in people
        if _counts(
            sighting := Sighting(
                clip.name,
                frame,
                person.track_id,
                person,
                touched.get(frame, False),
                covered.get((frame, person.track_id), (0,) * len(COCO)),
            )
        )
    ]


def _counts(sighting: Sighting) -> bool:
    person = sighting.person
    has_area = bool(np.all(person.box[2:] > person.box[:2]))
    return has_area and not person.crowd and bool(_trusted(sighting).any())


def _marks(labels: Path) -> tuple[dict[int, bool], dict[tuple[int, int], tuple[int, ...]]]:
    """What benchmarks.degrade_clips noted: of each frame, and of each (frame, track id)."""
    data = read_json(labels)
    frame_of = {image["id"]: int(image["frame"]) for image in data["images"]}
    touched = {int(image["frame"]): bool(image.get("degraded", False)) for image in data["images"]}
    covered = {
        (frame_of[a["image_id"]], int(a.get("track_id", 0))): tuple(a["covered"])
        for a in data["annotations"]
        if a.get("covered")
    }
    return touched, covered
