"""What the readers of dataset layouts share: looking for folders, listing pictures, saying what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posecli.errors import PosecliError
from posecli.types import FloatArray
from posecli.video.pictures import is_picture, natural_order

# How far a box made from keypoints reaches beyond them on each side, in units of their extent. PoseTrack 2018's own
# boxes are made so.
BOX_MARGIN = 0.15


def first_with(folder: Path, patterns: Sequence[str], what: str) -> list[Path]:
    """The files of the first pattern that has any, sorted by name.

    Raises:
        PosecliError: none has; the message names them all.
    """
    if not folder.is_dir():
        raise PosecliError(f"{folder}: there is no such folder")
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
        if found:
            return found
    raise PosecliError(f"{folder}: no {what}; looked for {', '.join(patterns)}")


def picture_root(folder: Path) -> Path:
    """Where the annotations' picture names begin: posetrack_data/ if the pictures lie there, else the folder."""
    inner = folder / "posetrack_data"
    return inner if (inner / "images").is_dir() else folder


def picture_names(folder: Path) -> list[str]:
    """The names of a folder's pictures in their natural order; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        return []
    return sorted(
        (name for name in names if is_picture(Path(name))), key=lambda name: natural_order(Path(name))
    )


def box_around(points: FloatArray, margin: float = BOX_MARGIN) -> FloatArray:
    """(n, 2) to (4,): the points' extent, enlarged by a share of it on each side; zeros where there are none."""
    if not len(points):
        return np.zeros(4, np.float32)
    low, high = points.min(0), points.max(0)
    reach = margin * (high - low)
    return np.concatenate([low - reach, high + reach]).astype(np.float32)


def person_box(points: FloatArray, head_box: FloatArray | None) -> FloatArray:
    """The box (4,) of a person who has none: around the labelled points (n, 2), and around the head where those span
    no area; zeros of whom nothing is known."""
    box = box_around(points)
    if head_box is None or np.all(box[2:] > box[:2]):
        return box
    return box_around(np.concatenate([points, head_box.reshape(2, 2)]), margin=0)


@dataclass(slots=True)
class Missing:
    """Counts what a layout names but the disk does not have, so that a partial copy is answered in one line."""

    folder: Path  # of the dataset
    what: str  # "posetrack18 val"
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    sequences: int = 0

    def add(self, kind: str, paths: Iterable[Path], named_by: Path | None = None) -> None:
        """kind: such as "folders of pictures"."""
        for path in paths:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            source = f", named by {self._short(named_by)}" if named_by else ""
            self.first.setdefault(kind, f"{self._short(path)}{source}")

    def check(self) -> None:
        """
        Raises:
            PosecliError: something is missing; says what, how much of it, and the first of each.
        """
        if self.counts:
            parts = [f"{kind}: {count} (first: {self.first[kind]})" for kind, count in self.counts.items()]
            raise PosecliError(
                f"{self.folder}: {self.what} ({self.sequences} sequences) is not complete. Missing {'; '.join(parts)}"
            )

    def _short(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)
