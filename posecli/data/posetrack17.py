"""PoseTrack 2017: an `annolist` JSON a sequence, beside folders of pictures.

Layout, below the dataset's folder (or below posetrack_data/ in it):
    images/bonn_mpii_test_5sec/NNNNN_mpii/00000001.jpg        the pictures that the annotations name; any folders
    annotations/{train,val}/NNNNN_mpii_relpath_5sec_*.json    annolist[] of image, annorect, ignore_regions

Only some pictures are labelled: annolist lists those, or marks them with is_labeled; the folder has the others too. A
person has no box here, it gets the extent of the labelled joints, enlarged by BOX_MARGIN on each side. x1, y1, x2 and
y2 are the head's box.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from posecli.data.footage import Footage, FootageFrame
from posecli.data.layout import Missing, first_with, person_box, picture_names, picture_root
from posecli.data.packed import PackedPeople
from posecli.data.people import Person, read_json
from posecli.errors import PosecliError
from posecli.skeletons import POSETRACK17
from posecli.types import FloatArray

ANNOTATIONS = ("annotations/{split}/*.json", "posetrack_data/annotations/{split}/*.json")


def load_posetrack17(folder: Path, split: str) -> list[Footage]:
    """The sequences of a split ("train" or "val"), sorted by name (the annotation file's, without .json).

    Raises:
        PosecliError: the layout is not there or not complete, or a file is not of this form.
    """
    patterns = [pattern.format(split=split) for pattern in ANNOTATIONS]
    files = first_with(folder, patterns, f"posetrack17 annotations of '{split}'")
    missing = Missing(folder, f"posetrack17 {split}", sequences=len(files))
    footage = [_read_file(file, picture_root(folder), missing) for file in files]
    missing.check()
    return footage


def _read_file(file: Path, root: Path, missing: Missing) -> Footage:
    data = read_json(file)
    try:
        entries = {str(_single(entry["image"])["name"]): entry for entry in data["annolist"]}
        if not entries:
            raise PosecliError(f"{file}: annolist is empty")
        return _sequence(file, root, entries, missing)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise PosecliError(
            f"{file}: not annotations of PoseTrack 2017's form ({type(error).__name__}: {error})"
        ) from None


def _sequence(file: Path, root: Path, entries: dict[str, dict[str, Any]], missing: Missing) -> Footage:
    place = next(iter(entries)).rpartition("/")[0]
    on_disk = [f"{place}/{name}" for name in picture_names(root / place)]
    if on_disk:
        missing.add("pictures", (root / name for name in sorted(entries.keys() - on_disk)), file)
    else:
        missing.add("folders of pictures", [root / place], file)
    names = on_disk or sorted(entries)
    labelled = {i: entries[name] for i, name in enumerate(names) if name in entries}
    return Footage(
        file.stem,
        POSETRACK17,
        tuple(
            FootageFrame(
                root / name, name, i if i in labelled else -1 - i, i in labelled and _is_labelled(labelled[i])
            )
            for i, name in enumerate(names)
        ),
        PackedPeople({i: [_person(p) for p in _items(e, "annorect")] for i, e in labelled.items()}),
        {i: _polygons(entry) for i, entry in labelled.items()},
        file,
        box_source="joints",
    )


def _is_labelled(entry: dict[str, Any]) -> bool:
    return bool(_single(entry.get("is_labeled", 1)))


def _person(rectangle: dict[str, Any]) -> Person:
    keypoints = np.zeros((len(POSETRACK17), 2), np.float32)
    labelled = np.zeros(len(POSETRACK17), np.float32)
    for group in _items(rectangle, "annopoints"):
        for point in _items(group, "point"):
            joint = int(_single(point["id"]))
            if not 0 <= joint < len(POSETRACK17):
                raise ValueError(f"joint {joint}, where 0 to {len(POSETRACK17) - 1} are known")
            keypoints[joint] = _single(point["x"]), _single(point["y"])
            labelled[joint] = 1
    head_box = None
    if all(rectangle.get(side) not in (None, []) for side in ("x1", "y1", "x2", "y2")):
        head_box = np.array([_single(rectangle[side]) for side in ("x1", "y1", "x2", "y2")], np.float32)
    box = person_box(keypoints[labelled > 0], head_box)
    track_id = _single(rectangle.get("track_id", 0))
    return Person(box, keypoints, labelled, human=True, track_id=int(track_id), head_box=head_box)


def _polygons(entry: dict[str, Any]) -> tuple[FloatArray, ...]:
    polygons = []
    for region in _items(entry, "ignore_regions"):
        corners = [(_single(point["x"]), _single(point["y"])) for point in _items(region, "point")]
        if corners:
            polygons.append(np.array(corners, np.float32))
    return tuple(polygons)


def _items(node: dict[str, Any], key: str) -> list[Any]:
    """A list that MATLAB may have written as nothing, or as its only element."""
    value = node.get(key) or []
    return value if isinstance(value, list) else [value]


def _single(value: Any) -> Any:
    """The element of the one-element list that most values are wrapped in."""
    return value[0] if isinstance(value, list) else value
