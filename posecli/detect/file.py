"""Boxes from a file instead of a detector (--boxes)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from posecli.errors import PosecliError
from posecli.formats.boxes import read_boxes
from posecli.types import Boxes, Frame, Tracks


class BoxFile:
    """The boxes of one video, read from any file that posecli.formats.boxes knows."""

    def __init__(self, path: str | os.PathLike[str], names: Sequence[str] | None = None) -> None:
        """Read the file.

        Args:
            names: the file names of the source's pictures, where it has any: boxes then belong to them by
                name.

        Raises:
            PosecliError: the file cannot be read, is malformed, or has an id twice on one picture.
        """
        self.name = os.fspath(path)
        self._boxes = read_boxes(path, names)
        for index, boxes in self._boxes.items():
            if isinstance(boxes, Tracks) and len(set(boxes.ids.tolist())) < len(boxes):
                raise PosecliError(
                    f"{path}: picture {index} has a track_id twice; an id may occur once a picture"
                )

    @property
    def has_ids(self) -> bool:
        """Whether every box carries an identity: it is kept, and no tracker is needed."""
        return any(isinstance(boxes, Tracks) for boxes in self._boxes.values())

    def at(self, frame: Frame) -> Boxes | Tracks:
        """The boxes of one picture: Tracks if the file has ids, else Boxes; nobody where it names none."""
        return self._boxes.get(frame.index) or (Tracks.empty() if self.has_ids else Boxes.empty())

    def attach(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Boxes | Tracks]]:
        """Each picture with its boxes: what posecli.detect.stream.detect_people does with a detector."""
        return ((frame, self.at(frame)) for frame in frames)

    def provenance(self) -> dict[str, Any]:
        return {"name": "file", "path": self.name, "has_ids": self.has_ids}
