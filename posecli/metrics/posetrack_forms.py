"""PoseTrack's two forms of annotations and results, read as poseval reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.formats.document import Node
from posecli.metrics.posetrack_frames import MISSING_SCORE, NUM_JOINTS, People, head_size
from posecli.skeletons import POSETRACK17, POSETRACK18

_COORDINATES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class FileFrame:
    """One picture of a file."""

    name: str
    people: People  # without those who have no list of joints
    has_entries: bool
    labelled: bool
    ignored: Sequence[NDArray[np.float64]] = ()


def frames_from(document: Node) -> list[FileFrame]:
    """The pictures of a file in one of the two forms, in the file's order.

    Raises:
        PosecliError: the file is in neither form; the message says where.
    """
    if document.has("annolist"):
        return [_frame17(entry) for entry in document["annolist"].items()]
    if document.has("images") and document.has("annotations"):
        return _frames18(document)
    return document.fail(
        'no PoseTrack annotations: an object with "annolist" or "images" and "annotations" expected'
    )


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


def keypoint_names(document: Node) -> tuple[str, ...] | None:
    """The keypoints that the file's category names."""
    categories = list(document["categories"].items()) if document.has("categories") else []
    if not categories or not categories[0].has("keypoints"):
        return None
    return tuple(name.text() for name in categories[0]["keypoints"].items())


def _names18(document: Node) -> tuple[str, ...]:
    """The file's keypoints, PoseTrack's among them."""
    names = keypoint_names(document) or POSETRACK18.keypoints
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
