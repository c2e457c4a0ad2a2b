"""PoseTrack's ground truth and results from files, read as poseval reads them.

One JSON file a sequence, in the 2017 form (`annolist`) or the 2018 form (COCO style), or a folder of them. Results are
found by the ground truth's file name and compared frame by frame in the files' order. Poses that posecli wrote in
another form (`coco`, CSV) are read too, and compared by the index of the frame.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.formats.document import Node, read_document
from posecli.formats.registry import read_poses, recognise
from posecli.metrics.file_pairs import check_places, file_pairs, picture_places
from posecli.metrics.posetrack_frames import (
    MISSING_SCORE,
    NUM_JOINTS,
    ComparedFrame,
    People,
    head_size,
    people_from_poses,
)
from posecli.skeletons import POSETRACK17, POSETRACK18, SKELETONS

_COORDINATES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class FileFrame:
    """One picture of a file."""

    name: str
    people: People  # without those who have no list of joints
    has_entries: bool
    labelled: bool
    ignored: Sequence[NDArray[np.float64]] = ()


def compared_sequences(truth: Path, predicted: Path) -> Iterator[Iterator[ComparedFrame]]:
    """The sequences of two files or folders, in sorted order of the files' names; one is in memory at a time.

    Raises:
        PosecliError: a file is missing or in no PoseTrack form, or the numbers of its frames differ; the message says
            where.
    """
    for truth_file, predicted_file in file_pairs(truth, predicted):
        frames = read_frames(truth_file)
        found = read_predictions(predicted_file, frames, truth_file)
        paired = zip(frames, found, strict=True)
        for _, sequence in itertools.groupby(paired, key=lambda pair: _sequence(pair[0].name)):
            yield (
                ComparedFrame(
                    f"{truth_file}: {frame.name}",
                    frame.has_entries,
                    frame.labelled,
                    frame.people,
                    people,
                    frame.ignored,
                )
                for frame, people in sequence
            )


def _sequence(picture: str) -> str:
    return PurePosixPath(picture).parent.name


def read_frames(path: Path) -> list[FileFrame]:
    """The pictures of a file in one of the two forms, in the file's order.

    Raises:
        PosecliError: the file is in neither form; the message says where.
    """
    return _frames(read_document(path))


def _frames(document: Node) -> list[FileFrame]:
    if document.has("annolist"):
        return [_frame17(entry) for entry in document["annolist"].items()]
    if document.has("images") and document.has("annotations"):
        return _frames18(document)
    return document.fail(
        'no PoseTrack annotations: an object with "annolist" or "images" and "annotations" expected'
    )


def read_predictions(path: Path, truth: Sequence[FileFrame], truth_file: Path) -> list[People]:
    """The people found on each of the ground truth's pictures.

    Raises:
        PosecliError: the file is in no known form, or does not fit to the ground truth.
    """
    document = read_document(path) if path.suffix.lower() == ".json" else None
    if document is None or not _is_native(document):
        return _from_recording(path, truth, truth_file)
    frames = _frames(document)
    if len(frames) != len(truth):
        document.fail(f"{len(frames)} frames, but {truth_file} has {len(truth)}; every frame has to be there")
    names, expected = ([PurePosixPath(frame.name).name for frame in side] for side in (frames, truth))
    if names != expected and sorted(names) == sorted(expected):
        warnings.warn(
            f"{path}: its frames are in another order than those of {truth_file}; they are compared as they come",
            stacklevel=2,
        )
    return [frame.people for frame in frames]


def _is_native(document: Node) -> bool:
    """Whether this is one of PoseTrack's forms; without names the keypoints are taken for PoseTrack's."""
    if not document.has("images"):
        return document.has("annolist")
    names = _keypoint_names(document) or POSETRACK18.keypoints
    first = next(document["annotations"].items(), None)
    is_ours = first is not None and first.has("keypoint_scores")
    return not is_ours and set(POSETRACK17.keypoints) <= set(names)


def _from_recording(path: Path, truth: Sequence[FileFrame], truth_file: Path) -> list[People]:
    recording = read_poses(path, recognise(path))
    people = [People.empty() for _ in truth]
    places = picture_places(recording.frames, [frame.name for frame in truth])
    check_places(path, recording.frames, places, truth_file)
    for poses, place in zip(recording.frames, places, strict=True):
        if place is not None:
            people[place] = people_from_poses(poses, SKELETONS[recording.skeleton])
    return people


def _frame17(entry: Node) -> FileFrame:
    rects = list(entry["annorect"].items()) if entry.has("annorect") else []
    regions = entry["ignore_regions"].items() if entry.has("ignore_regions") else ()
    is_labelled = bool(rects)
    if entry.has("is_labeled"):
        is_labelled = bool(entry["is_labeled"].single().value)
    pictures = list(entry["image"].items()) if entry.has("image") else []
    return FileFrame(
        pictures[0]["name"].text() if pictures else "",
        _people17([rect for rect in rects if _joint_list(rect) is not None]),
        bool(rects),
        is_labelled,
        [_polygon17(region) for region in regions],
    )


def _joint_list(rect: Node) -> list[Any] | None:
    """The joints of a person; None where there is not even an empty list."""
    points = rect.value.get("annopoints") if isinstance(rect.value, dict) else rect.fail("an object expected")
    first = points[0] if isinstance(points, list) and points else points
    joints = first.get("point") if isinstance(first, dict) else None
    return joints if isinstance(joints, list) else None


def _people17(rects: list[Node]) -> People:
    people = People.empty(len(rects))
    for i, rect in enumerate(rects):
        if all(rect.has(name) for name in _COORDINATES):
            corners = [rect[name].single().number() for name in _COORDINATES]
            people.head_sizes[i] = head_size(np.array(corners))
        if rect.has("track_id"):
            people.track_ids[i] = rect["track_id"].single().integer()
        try:
            # The first of two joints with one id counts.
            for joint in reversed(_joint_list(rect) or []):
                _set_joint17(people, i, joint)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            rect["annopoints"].fail(f"joints with id, x and y expected ({type(error).__name__}: {error})")
    return people


def _set_joint17(people: People, person: int, joint: dict[str, Any]) -> None:
    if joint["id"][0] not in range(NUM_JOINTS):
        return
    number = int(joint["id"][0])
    people.present[person, number] = True
    people.keypoints[person, number] = joint["x"][0], joint["y"][0]
    score = joint.get("score")
    people.scores[person, number] = MISSING_SCORE if score is None or score[0] is None else score[0]


def _polygon17(region: Node) -> NDArray[np.float64]:
    corners = [(p["x"].single().number(), p["y"].single().number()) for p in region["point"].items()]
    return np.array(corners, np.float64).reshape(-1, 2)


def _frames18(document: Node) -> list[FileFrame]:
    names = _names18(document)
    annotations: dict[int, list[Node]] = {}
    for annotation in document["annotations"].items():
        annotations.setdefault(annotation["image_id"].integer(), []).append(annotation)
    frames = []
    for image in document["images"].items():
        group = annotations.pop(image["id"].integer(), [])
        frames.append(_frame18(image, group, names))
    if annotations:
        group = next(iter(annotations.values()))
        group[0]["image_id"].fail(f"there is no image {group[0]['image_id'].value} (or there are two)")
    return frames


def _frame18(image: Node, annotations: list[Node], names: tuple[str, ...]) -> FileFrame:
    return FileFrame(
        image["file_name"].text() if image.has("file_name") else "",
        _people18(annotations, names),
        bool(annotations),
        bool(image["is_labeled"].value) if image.has("is_labeled") else bool(annotations),
        _polygons18(image),
    )


def _keypoint_names(document: Node) -> tuple[str, ...] | None:
    """The keypoints that the file's category names."""
    categories = list(document["categories"].items()) if document.has("categories") else []
    if not categories or not categories[0].has("keypoints"):
        return None
    return tuple(name.text() for name in categories[0]["keypoints"].items())


def _names18(document: Node) -> tuple[str, ...]:
    """The file's keypoints, PoseTrack's among them."""
    names = _keypoint_names(document) or POSETRACK18.keypoints
    missing = [name for name in POSETRACK17.keypoints if name not in names]
    if missing:
        document["categories"].fail(f"PoseTrack's keypoints expected, but {missing[0]!r} is not among them")
    return names


def _people18(annotations: list[Node], names: tuple[str, ...]) -> People:
    people = People.empty(len(annotations))
    order, count = [names.index(name) for name in POSETRACK17.keypoints], len(names)
    for i, annotation in enumerate(annotations):
        joints = _numbers(annotation, "keypoints", 3 * count).reshape(-1, 3)[order]
        people.keypoints[i] = joints[:, :2]
        people.present[i] = (joints != 0).any(axis=1)
        if annotation.has("scores") and annotation["scores"].value:
            scores = _numbers(annotation, "scores", count)[order]
            people.scores[i] = np.where(np.isnan(scores), MISSING_SCORE, scores)
        if annotation.has("track_id"):
            people.track_ids[i] = annotation["track_id"].integer()
        if annotation.has("bbox_head"):
            x, y, width, height = _numbers(annotation, "bbox_head", 4)
            people.head_sizes[i] = head_size(np.array([x, y, x + width, y + height]))
    return people


def _numbers(annotation: Node, key: str, count: int) -> NDArray[np.float64]:
    """A list of numbers (null is NaN), without a Node for each of them: there are millions."""
    try:
        numbers = np.array(annotation[key].value, np.float64)
    except (TypeError, ValueError):
        annotation[key].fail("a list of numbers expected")
    if numbers.shape != (count,):
        annotation[key].fail(f"{count} numbers expected, found {numbers.size}")
    return numbers


def _polygons18(image: Node) -> list[NDArray[np.float64]]:
    if not image.has("ignore_regions_x") or not image.has("ignore_regions_y"):
        return []
    sides = [image["ignore_regions_x"], image["ignore_regions_y"]]
    if isinstance(sides[0].value, list) and sides[0].value and not isinstance(sides[0].value[0], list):
        return [_polygon18(*sides)]  # some files have one region as a bare list of numbers
    regions = [list(side.items()) for side in sides]
    if len(regions[0]) != len(regions[1]):
        sides[0].fail("as many regions expected as in ignore_regions_y")
    return [_polygon18(x, y) for x, y in zip(*regions, strict=True)]


def _polygon18(x: Node, y: Node) -> NDArray[np.float64]:
    columns = [np.array([node.number() for node in side.items()]) for side in (x, y)]
    if len(columns[0]) != len(columns[1]):
        x.fail("as many numbers expected as in ignore_regions_y")
    return np.stack(columns, axis=1).reshape(-1, 2)
