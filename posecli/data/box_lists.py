"""Boxes of a whole dataset: one file for all its sequences, or a folder with one file for each.

One file is the custom of PoseTrack's detections: a list of `{image_name or image_id, bbox (x, y, width, height),
score}` (see posecli.formats.boxes for all that is read). In a folder, NAME.json holds the boxes of the sequence
NAME, as `posecli detect` writes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from posecli.data.footage import Footage, FootageFrame
from posecli.errors import PosecliError
from posecli.formats.boxes import BoxRecord, group_records, name_tail, read_box_records, read_boxes
from posecli.types import Boxes, Tracks

Key = tuple[str, ...] | int  # the end of a picture's name, or its id


class DatasetBoxes:
    """The boxes of a dataset by sequence and place.

    A picture is known by its name (the file's, and the folder's that it is in where the list tells it), else by
    its id.

    Args:
        path: the file or the folder.
        threshold: boxes of a lower score are left out.
    """

    def __init__(self, path: str | os.PathLike[str], threshold: float = 0.0) -> None:
        """
        Raises:
            PosecliError: it is not there, cannot be read, or is malformed.
        """
        self._path, self._threshold = Path(path), threshold
        self._used: dict[Key, str] = {}  # by which sequence
        self._found_any = False
        self._records: dict[Key, list[BoxRecord]] = {}
        if not self._path.is_dir():
            for record in read_box_records(self._path):
                self._records.setdefault(self._key(record), []).append(record)

    def of(self, footage: Footage) -> dict[int, Boxes] | dict[int, Tracks]:
        """The boxes of a sequence by place; places without boxes are left out. Tracks if every box has a track_id.

        Raises:
            PosecliError: a folder's file is missing or malformed, or the list's names or ids fit several sequences.
        """
        if self._path.is_dir():
            boxes = self._of_file(footage)
        else:
            boxes = group_records(
                (place, record)
                for place, frame in enumerate(footage.frames)
                for record in self._on(frame, footage.name)
            )
        self._found_any = self._found_any or bool(boxes)
        strong = {place: found[found.scores >= self._threshold] for place, found in boxes.items()}
        return {place: found for place, found in strong.items() if len(found)}  # type: ignore[return-value]

    def check_used(self) -> None:
        """To be called at the end.

        Raises:
            PosecliError: the list has boxes, but none of them was on a picture that was asked for.
        """
        if self._records and not self._found_any:
            example = next(iter(self._records))
            name = f"image_id {example}" if isinstance(example, int) else "/".join(example)
            raise PosecliError(
                f"{self._path}: none of its boxes is on a picture of the dataset (it names {name}, for example)"
            )

    def _key(self, record: BoxRecord) -> Key:
        if record.image_name is not None:
            return name_tail(record.image_name)
        if record.image_id is not None:
            return record.image_id
        raise PosecliError(
            f"{self._path}: its boxes name no picture; give a list with image_name or image_id, or a folder with "
            "one file a sequence"
        )

    def _on(self, frame: FootageFrame, sequence: str) -> Iterator[BoxRecord]:
        tail = name_tail(frame.name)
        for key in dict.fromkeys((tail, name_tail(str(frame.path)), tail[-1:], frame.image_id)):
            if key in self._records:
                if self._used.setdefault(key, sequence) != sequence:
                    name = f"image_id {key}" if isinstance(key, int) else "/".join(key)
                    raise PosecliError(
                        f"{self._path}: {name} fits pictures of {self._used[key]} and of {sequence}; name them with "
                        "their folder (image_name)"
                    )
                yield from self._records[key]

    def _of_file(self, footage: Footage) -> dict[int, Boxes] | dict[int, Tracks]:
        file = self._path / f"{footage.name}.json"
        if not file.is_file():
            raise PosecliError(
                f"{file} is not there: the folder must have the boxes of every sequence, NAME.json"
            )
        is_video = footage.pictures is not None
        return read_boxes(file, None if is_video else [frame.path.name for frame in footage.frames])
