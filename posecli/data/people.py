"""Labelled people in stills: the `coco` layout (person_keypoints JSON beside a folder of pictures).

Layout, below the dataset's folder:
    annotations/{train,val}.json   COCO person_keypoints; v = 0 means "not labelled"
    images/{train,val}/...         the pictures that file_name names
COCO's own names (annotations/person_keypoints_{train,val}2017.json, {train,val}2017/) are found too.

Extra fields that are read where they are there: an image's `group` and `complete` (every person boxed), an annotation's
`kp_source` ("human" or "teacher").
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posecli.errors import PosecliError
from posecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Person:
    """One labelled person."""

    box: FloatArray  # (4,) x0, y0, x1, y1 pixels
    keypoints: FloatArray  # (K, 2) pixels
    labelled: FloatArray  # (K,) 1 where there is a label, else 0
    human: bool  # labelled by a person, not by a teacher
    crowd: bool = False  # a region to ignore
    track_id: int = 0
    head_box: FloatArray | None = None  # (4,) x0, y0, x1, y1 pixels, where the layout has one
    area: float | None = None  # of the outline, square pixels, where the layout has it; OKS is measured by it
    confidence: float = 1.0  # that somebody is there: less where a teacher doubts it


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and everyone labelled in it."""

    path: Path
    group: str
    complete: bool
    people: tuple[Person, ...]
    image_id: int = 0  # the annotation file's


def load_coco(folder: Path, split: str) -> list[Picture]:
    """The pictures of one split, in the file's order.

    Raises:
        PosecliError: the layout is not there; says what was looked for.
    """
    annotations, images = find_coco(folder, split)
    data = read_json(annotations)
    try:
        people = group_people(data["annotations"])
        return [
            Picture(
                images / image["file_name"],
                image.get("group", "coco"),
                bool(image.get("complete", True)),
                tuple(people.get(image["id"], ())),
                image["id"],
            )
            for image in data["images"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise PosecliError(
            f"{annotations}: not COCO person keypoints ({type(error).__name__}: {error})"
        ) from None


def find_coco(folder: Path, split: str) -> tuple[Path, Path]:
    """(annotation file, picture folder) of a split."""
    layouts = [
        (folder / "annotations" / f"{split}.json", folder / "images" / split),
        (folder / "annotations" / f"person_keypoints_{split}2017.json", folder / f"{split}2017"),
        (folder / "annotations" / f"person_keypoints_{split}2017.json", folder / "images" / f"{split}2017"),
    ]
    for labels, images in layouts:
        if labels.is_file() and images.is_dir():
            return labels, images
    looked = "; ".join(f"{a.relative_to(folder)} with {i.relative_to(folder)}/" for a, i in layouts)
    raise PosecliError(f"{folder}: no coco data for split '{split}'; looked for {looked}")


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PosecliError(f"{path}: can't be read as JSON ({error})") from None


def group_people(annotations: list[dict[str, Any]]) -> dict[int, list[Person]]:
    """Annotations by image id."""
    people: dict[int, list[Person]] = {}
    for annotation in annotations:
        people.setdefault(annotation["image_id"], []).append(parse_person(annotation))
    return people


def parse_person(annotation: dict[str, Any]) -> Person:
    x, y, width, height = annotation["bbox"]
    keypoints = np.asarray(annotation.get("keypoints") or [0] * 51, np.float32).reshape(-1, 3)
    return Person(
        np.array([x, y, x + width, y + height], np.float32),
        keypoints[:, :2],
        (keypoints[:, 2] > 0).astype(np.float32),
        annotation.get("kp_source", "human") == "human",
        bool(annotation.get("iscrowd", 0)),
        int(annotation.get("track_id", 0)),
        area=None if annotation.get("area") is None else float(annotation["area"]),
    )
