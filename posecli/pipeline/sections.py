"""What was found out about consecutive frames, as bytes and back: NumPy's npz form, without pickles.

Legend: F frames, N people on all of them, K keypoints. Lists of different lengths are laid end to end, and counted.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.types import Boxes, FloatArray, Poses, Tracks

DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)  # what reading a torn file can raise


@dataclass(frozen=True, slots=True)
class Section:
    """The frames from `first` on, one after the other."""

    first: int  # index of the first frame
    poses: list[Poses]  # F
    boxes: list[Boxes]  # F, or none where nobody was detected (boxes of a file)
    stamps: list[int | None] = field(default_factory=list)  # F presentation timestamps, in ticks
    answers: list[list[FloatArray]] = field(
        default_factory=list
    )  # F, what the tracker was told of each picture
    checksum: int = 0  # of the last picture but a few: the one from which reading can go on

    def __len__(self) -> int:
        return len(self.poses)

    def to_bytes(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {
            "first": np.array(self.first),
            "times_F": np.array([poses.time_s for poses in self.poses], np.float64),
            "people_F": np.array([len(poses) for poses in self.poses], np.int64),
            "ids_N": np.concatenate([poses.tracks.ids for poses in self.poses]),
            "boxes_N4": np.concatenate([poses.tracks.xyxy for poses in self.poses]),
            "box_scores_N": np.concatenate([poses.tracks.scores for poses in self.poses]),
            "keypoints_NK2": np.concatenate([poses.keypoints for poses in self.poses]),
            "scores_NK": np.concatenate([poses.scores for poses in self.poses]),
        }
        if any(poses.name is not None for poses in self.poses):
            arrays["names_F"] = np.array([poses.name for poses in self.poses], np.str_)
        if self.boxes:
            arrays["found_F"] = np.array([len(boxes) for boxes in self.boxes], np.int64)
            arrays["found_boxes"] = np.concatenate([boxes.xyxy for boxes in self.boxes])
            arrays["found_scores"] = np.concatenate([boxes.scores for boxes in self.boxes])
        if self.stamps and None not in self.stamps:
            arrays["stamps_F"] = np.array(self.stamps, np.int64)
        if self.answers:
            told = [answer for answers in self.answers for answer in answers]
            arrays["told_F"] = np.array([len(answers) for answers in self.answers], np.int64)
            arrays["told_shapes"] = np.array([(*answer.shape, 1)[:2] for answer in told], np.int64).reshape(
                -1, 2
            )
            arrays["told_values"] = np.concatenate([np.zeros(0, np.float32), *(a.ravel() for a in told)])
        arrays["checksum"] = np.array(self.checksum)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a file of to_bytes.

        Raises:
            one of DAMAGE: it is no such file, or torn.
        """
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}  # all of it: each has a checksum
        first, count = int(arrays["first"]), len(arrays["times_F"])
        names = arrays["names_F"].tolist() if "names_F" in arrays else [None] * count
        people = arrays["people_F"]
        columns = [_split(arrays[name], people) for name in _PERSON_COLUMNS]
        poses = [
            Poses(first + i, float(arrays["times_F"][i]), Tracks(ids, boxes, scores), points, point_scores, names[i])
            for i, (ids, boxes, scores, points, point_scores) in enumerate(zip(*columns, strict=True))
        ]  # fmt: skip
        found: list[Boxes] = []
        if "found_F" in arrays:
            pairs = (_split(arrays[name], arrays["found_F"]) for name in ("found_boxes", "found_scores"))
            found = [Boxes(xyxy, scores) for xyxy, scores in zip(*pairs, strict=True)]
        stamps = arrays["stamps_F"].tolist() if "stamps_F" in arrays else [None] * count
        return cls(first, poses, found, stamps, _answers(arrays), int(arrays["checksum"]))


_PERSON_COLUMNS = ("ids_N", "boxes_N4", "box_scores_N", "keypoints_NK2", "scores_NK")


def _answers(arrays: dict[str, NDArray[Any]]) -> list[list[FloatArray]]:
    if "told_F" not in arrays:
        return []
    shapes = arrays["told_shapes"]
    values = _split(arrays["told_values"], shapes.prod(axis=1))
    told = [
        flat.reshape(rows, columns) if columns > 1 else flat
        for flat, (rows, columns) in zip(values, shapes.tolist(), strict=True)
    ]
    ends = np.cumsum(arrays["told_F"]).tolist()
    return [told[start:end] for start, end in pairwise([0, *ends])]


def _split(values: NDArray[Any], counts: Sequence[int] | NDArray[np.int64]) -> list[NDArray[Any]]:
    """The values laid end to end, apart again."""
    ends = np.cumsum(counts)
    if len(values) != (ends[-1] if len(ends) else 0):
        raise ValueError("counts and values disagree")
    return np.split(values, ends[:-1]) if len(ends) else []
