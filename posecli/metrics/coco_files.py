"""Ground truth in COCO style and predictions of any form, from files, as footage and poses.

A file is one sequence. Predictions belong to the picture of their name where both sides name pictures, in a bare
list of results (without what posecli writes beside it) to the picture of their image_id, and otherwise to that of their
frame's index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from posecli.data.footage import Footage, FootageFrame
from posecli.data.people import Person, group_people
from posecli.formats.base import estimated
from posecli.formats.coco import skeleton_from
from posecli.formats.document import Node, read_document
from posecli.formats.registry import read_poses, recognise
from posecli.metrics.file_pairs import check_places, file_pairs, picture_places
from posecli.skeletons import SKELETONS, Skeleton
from posecli.types import Poses

FRAME_NUMBERS = ("frame_index", "frame")  # ours, and that of labelled clips; from 0
MOST_FRAMES = 10_000_000  # beyond, it is no number of a frame

Compared = tuple[
    Footage, dict[int, Poses], Skeleton
]  # predictions by place in the footage, and their skeleton


def compared_footage(truth: Path, predicted: Path) -> Iterator[Compared]:
    """The sequences of two files or folders, one in memory at a time.

    Raises:
        PosecliError: a file is missing or in no known form, or the predictions are of other pictures.
    """
    for truth_file, predicted_file in file_pairs(truth, predicted):
        footage = read_footage(truth_file)
        yield footage, *read_predictions(predicted_file, footage)


def read_footage(path: Path) -> Footage:
    """The people that a COCO-style file labels; the pictures need not be there.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    document = read_document(path)
    frames = _frames(path, document)
    places = {frame.image_id: place for place, frame in enumerate(frames)}
    people = _people(document)
    strangers = people.keys() - places.keys()
    if strangers:
        document["annotations"].fail(f"there is no image {min(strangers)}")
    by_place = {places[image_id]: tuple(group) for image_id, group in people.items()}
    return Footage(path.stem, skeleton_from(document), frames, by_place, {}, path)


def _frames(path: Path, document: Node) -> tuple[FootageFrame, ...]:
    """By the frame's number where the file numbers them; those between that it lacks are not labelled."""
    listed: dict[int, FootageFrame] = {}
    for i, image in enumerate(document["images"].items()):
        numbered = next((image[key] for key in FRAME_NUMBERS if image.has(key)), None)
        number = i if numbered is None else numbered.integer()
        if number in listed or not 0 <= number < MOST_FRAMES:
            image.fail(f"there is a frame {number} already, or cannot be one")
        name = image["file_name"].text() if image.has("file_name") else f"{number}"
        labelled = bool(image["is_labeled"].value) if image.has("is_labeled") else True
        listed[number] = FootageFrame(path.parent / name, name, image["id"].integer(), labelled)
    unlisted = FootageFrame(path.parent, "", -1, labelled=False)
    return tuple(
        listed.get(number, replace(unlisted, image_id=-1 - number))
        for number in range(max(listed, default=-1) + 1)
    )


def _people(document: Node) -> dict[int, list[Person]]:
    try:
        annotations: list[dict[str, Any]] = document["annotations"].value
        return group_people(annotations)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return document["annotations"].fail(f"not COCO keypoints ({type(error).__name__}: {error})")


def read_predictions(path: Path, footage: Footage) -> tuple[dict[int, Poses], Skeleton]:
    """Poses by place in the footage, and their skeleton.

    Raises:
        PosecliError: the file is in no known form, or is of other pictures.
    """
    form = recognise(path)
    recording = read_poses(path, form)
    poses = recording.frames
    if form == "coco-results":
        # A bare list is taken at its word: its score is the person's, as pycocotools takes it.
        poses = [
            replace(frame, scores=np.where(estimated(frame), 1, np.nan).astype(np.float32)) for frame in poses
        ]
    places = picture_places(poses, [frame.name for frame in footage.frames])
    if form == "coco-results" and not recording.video.path:  # nothing stands beside the list
        by_id = {frame.image_id: place for place, frame in enumerate(footage.frames)}
        places = [by_id.get(frame.frame_index) for frame in poses]
    check_places(path, poses, places, footage.annotation)
    found = {place: frame for place, frame in zip(places, poses, strict=True) if place is not None}
    return found, SKELETONS[recording.skeleton]
