"""PoseTrack 2018 and PoseTrack21: COCO-style JSON, one file a sequence, beside folders of pictures.

Layout, below the dataset's folder:
    images/{train,val}/NNNNNN_mpii_{train,test}/000000.jpg     the pictures that file_name names
    annotations/{train,val}/NNNNNN_mpii_{train,test}.json      PoseTrack 2018
    posetrack_data/{train,val}/...json                         PoseTrack21
posetrack_data/annotations/{train,val}/ and one file for all sequences (annotations/posetrack18_{train,val}.json) are
found too.

A keypoint is not labelled if x = y = v = 0; in PoseTrack21, as in its kit, also if x <= 0 or y <= 0. A person without
a box gets the extent of the labelled keypoints, enlarged by BOX_MARGIN on each side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posecli.data.footage import Footage, FootageFrame
from posecli.data.layout import Missing, first_with, person_box, picture_names, picture_root
from posecli.data.packed import PackedPeople
from posecli.data.people import Person, read_json
from posecli.errors import PosecliError
from posecli.skeletons import POSETRACK18
from posecli.types import FloatArray

ANNOTATIONS_18 = (
    "annotations/{split}/*.json",
    "posetrack_data/annotations/{split}/*.json",
    "posetrack_data/{split}/*.json",
    "annotations/posetrack18_{split}.json",
)
ANNOTATIONS_21 = (
    "posetrack_data/{split}/*.json",
    "posetrack_data/annotations/{split}/*.json",
    "annotations/{split}/*.json",
)


def load_posetrack18(folder: Path, split: str) -> list[Footage]:
    """The sequences of a split ("train" or "val"), sorted by name.

    Raises:
        PosecliError: the layout is not there or not complete, or a file is not of this form.
    """
    return _load(folder, split, "posetrack18", ANNOTATIONS_18)


def load_posetrack21(folder: Path, split: str) -> list[Footage]:
    """As load_posetrack18, for PoseTrack21."""
    return _load(folder, split, "posetrack21", ANNOTATIONS_21)


def _load(folder: Path, split: str, name: str, patterns: tuple[str, ...]) -> list[Footage]:
    files = first_with(folder, [p.format(split=split) for p in patterns], f"{name} annotations of '{split}'")
    missing = Missing(folder, f"{name} {split}")
    footage = [
        sequence
        for file in files
        for sequence in _read_file(file, picture_root(folder), missing, positive_only=name == "posetrack21")
    ]
    missing.check()
    return sorted(footage, key=lambda sequence: sequence.name)


def _read_file(file: Path, root: Path, missing: Missing, positive_only: bool) -> Iterator[Footage]:
    """The sequences of one file: pictures belong together that lie in one folder."""
    data = read_json(file)
    try:
        sequences: dict[str, list[dict[str, Any]]] = {}
        for image in data["images"]:
            sequences.setdefault(image["file_name"].rpartition("/")[0], []).append(image)
        people: dict[int, list[Person]] = {}
        for annotation in data["annotations"]:
            group = people.setdefault(annotation["image_id"], [])
            group.append(_person(annotation, positive_only))
        for place, images in sequences.items():
            missing.sequences += 1
            yield _sequence(file, root, place, images, people, missing)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise PosecliError(
            f"{file}: not annotations of PoseTrack 2018's form ({type(error).__name__}: {error})"
        ) from None


def _sequence(
    file: Path,
    root: Path,
    place: str,
    images: list[dict[str, Any]],
    people: dict[int, list[Person]],
    missing: Missing,
) -> Footage:
    on_disk = picture_names(root / place)
    listed = {image["file_name"].rpartition("/")[2]: image for image in images}
    if on_disk:
        missing.add("pictures", (root / place / name for name in sorted(listed.keys() - on_disk)), file)
    else:
        missing.add("folders of pictures", [root / place], file)
    names = on_disk or sorted(listed)
    frames = tuple(
        _frame(root, f"{place}/{name}", listed.get(name), index) for index, name in enumerate(names)
    )
    places = {frame.image_id: index for index, frame in enumerate(frames)}
    return Footage(
        place.rpartition("/")[2],
        POSETRACK18,
        frames,
        PackedPeople({places[image_id]: group for image_id, group in people.items() if image_id in places}),
        {index: _polygons(listed[name]) for index, name in enumerate(names) if name in listed},
        file,
    )


def _frame(root: Path, name: str, image: dict[str, Any] | None, index: int) -> FootageFrame:
    """A picture that the annotations do not list is not labelled and has a negative id."""
    if image is None:
        return FootageFrame(root / name, name, -1 - index, labelled=False)
    return FootageFrame(root / name, name, int(image["id"]), bool(image.get("is_labeled", True)))


def _person(annotation: dict[str, Any], positive_only: bool) -> Person:
    keypoints = np.asarray(annotation.get("keypoints") or [0] * 51, np.float32).reshape(len(POSETRACK18), 3)
    labelled = np.all(keypoints[:, :2] > 0, -1) if positive_only else np.any(keypoints != 0, -1)
    head_box = _box(annotation.get("bbox_head"))
    box = _box(annotation.get("bbox"))
    return Person(
        person_box(keypoints[labelled, :2], head_box) if box is None else box,
        np.where(labelled[:, None], keypoints[:, :2], 0).astype(np.float32),
        labelled.astype(np.float32),
        human=True,
        crowd=bool(annotation.get("iscrowd", 0)),
        track_id=_track_id(annotation),
        head_box=head_box,
    )


def _track_id(annotation: dict[str, Any]) -> int:
    """The track's number; who has none is alone in a track of a negative one."""
    track_id = annotation.get("track_id", annotation.get("person_id"))
    return -1 - abs(int(annotation["id"])) if track_id is None else int(track_id)


def _box(xywh: list[float] | None) -> FloatArray | None:
    """x0, y0, x1, y1; None where there is none or an empty one."""
    if not xywh or not (xywh[2] > 0 and xywh[3] > 0):
        return None
    x, y, width, height = xywh
    return np.array([x, y, x + width, y + height], np.float32)


def _polygons(image: dict[str, Any]) -> tuple[FloatArray, ...]:
    """The regions to ignore; some files have one region as a bare list of numbers."""
    columns, rows = image.get("ignore_regions_x") or [], image.get("ignore_regions_y") or []
    if columns and not isinstance(columns[0], list):
        columns, rows = [columns], [rows]
    return tuple(
        np.stack([np.asarray(x, np.float32), np.asarray(y, np.float32)], -1)
        for x, y in zip(columns, rows, strict=True)
        if len(x)
    )
