"""What was found out about consecutive frames, as bytes and back: NumPy's npz form, without pickles.

Legend: F frames, N people on all of them, K keypoints. Lists of different lengths are laid end to end, and counted.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from posecli.types import Boxes, Poses, Tracks

DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)  # what reading a torn file can raise


@dataclass(frozen=True, slots=True)
class Section:
    """The frames from `first` on, one after the other."""

    first: int  # index of the first frame
    poses: list[Poses]  # F
    boxes: list[Boxes]  # F, or none where nobody was detected (boxes of a file)

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
        return cls(first, poses, found)


_PERSON_COLUMNS = ("ids_N", "boxes_N4", "box_scores_N", "keypoints_NK2", "scores_NK")


def _split(values: NDArray[Any], counts: Sequence[int] | NDArray[np.int64]) -> list[NDArray[Any]]:
    """The values laid end to end, apart again."""
    ends = np.cumsum(counts)
    if len(values) != (ends[-1] if len(ends) else 0):
        raise ValueError("counts and values disagree")
    return np.split(values, ends[:-1]) if len(ends) else []
