"""Files of detections: what `posecli detect` writes, and the lists of boxes that others write.

Our own form is one object: `info` (provenance), `videos`, and `boxes`, a list of
`{frame_index, time_s, image_name (of pictures), bbox (x, y, width, height), score, track_id (of tracks)}`.
COCO result lists, PoseTrack detector lists and COCO dataset-style objects are read too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import box_to_xywh, finite_or_none, shortest
from posecli.formats.coco import PERSON, box_from, dumps, video_entry
from posecli.formats.document import Node, read_document
from posecli.types import Boxes, FloatArray, Frame, Tracks, VideoInfo

MOST_DIGITS = 15  # of a frame number in a name


class BoxWriter:
    """Streams the detections of one picture after the other into a boxes file; a context manager.

    The file appears when the block ends well; otherwise nothing is left behind.
    """

    def __init__(self, path: str | os.PathLike[str], *, video: VideoInfo, provenance: dict[str, Any]) -> None:
        self._output = ReplacingFile(path)
        self._head = f'{{"info":{dumps(provenance)},\n"videos":[{dumps(video_entry(video))}],\n"boxes":['
        self._separator = "\n"

    def __enter__(self) -> Self:
        self._file = self._output.__enter__()
        self._file.write(self._head)
        return self

    def write(self, frame: Frame, boxes: Boxes | Tracks) -> None:
        """Adds the boxes of one picture; only its index, time and name are used."""
        head: dict[str, Any] = {"frame_index": frame.index, "time_s": finite_or_none(frame.time_s)}
        if frame.name is not None:
            head["image_name"] = frame.name
        corners = box_to_xywh(boxes.xyxy).tolist()
        for i, (bbox, score) in enumerate(zip(corners, shortest(boxes.scores).tolist(), strict=True)):
            identity = {"track_id": int(boxes.ids[i])} if isinstance(boxes, Tracks) else {}
            self._file.write(self._separator + dumps(head | {"bbox": bbox, "score": score} | identity))
            self._separator = ",\n"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write("]}\n")
        self._output.__exit__(kind, error, trace)


@dataclass(frozen=True, slots=True)
class BoxRecord:
    """One detection of a boxes file and the picture that it names, in one or more of three ways."""

    xyxy: FloatArray  # (4,) pixels
    score: float
    track_id: int | None
    frame_index: int | None
    image_id: int | None
    image_name: str | None


def read_box_records(path: str | os.PathLike[str]) -> Iterator[BoxRecord]:
    """Every detection of a boxes file, in its order, without boxes of no area and things that are not people.

    Raises:
        PosecliError: the file is in none of the known forms; the message says where.
    """
    document = read_document(Path(path))
    names: dict[int, Node] = {}
    if isinstance(document.value, list):
        entries = document.items()
    elif document.has("boxes"):
        entries = document["boxes"].items()
    elif document.has("annotations") and document.has("images"):
        entries = document["annotations"].items()
        names = {image["id"].integer(): image for image in document["images"].items()}
    else:
        document.fail('no boxes: a list, or an object with "boxes" or "annotations" is expected')
    for entry in entries:
        if entry.has("category_id") and entry["category_id"].integer() != PERSON:
            continue
        record = _record(entry, names)
        if (record.xyxy[2:] > record.xyxy[:2]).all():
            yield record


def read_boxes(
    path: str | os.PathLike[str], names: Sequence[str] | None = None
) -> dict[int, Boxes] | dict[int, Tracks]:
    """The detections of one video by frame index; pictures without detections are not in the dictionary.

    Args:
        path: a boxes file (see the head of this module).
        names: the picture file names of the source in order. With them a detection belongs to the picture of
            its `image_name` (file name and, where both tell it, the folder that it is in), and detections on
            other pictures are left out. Without them, frame_index counts, else image_id, else the last number
            in the image's name.

    Returns:
        Tracks if every detection carries a track_id, else Boxes.

    Raises:
        PosecliError: the file is malformed, or none of its detections is on one of the named pictures.
    """
    positions = {name_tail(name): i for i, name in enumerate(names or ())}
    placed: list[tuple[int, BoxRecord]] = []
    is_empty = True
    for record in read_box_records(path):
        is_empty = False
        index = _frame_index(record, positions, Path(path))
        if index is not None:
            placed.append((index, record))
    if names is not None and not placed and not is_empty:
        raise PosecliError(f"{path}: none of its boxes is on one of the {len(names)} pictures of the source")
    return group_records(placed)


def group_records(records: Iterable[tuple[int, BoxRecord]]) -> dict[int, Boxes] | dict[int, Tracks]:
    """Detections, each with the index of its frame, by frame: Tracks if every one carries a track_id, else Boxes."""
    groups: dict[int, list[BoxRecord]] = {}
    for index, record in records:
        groups.setdefault(index, []).append(record)
    if all(record.track_id is not None for group in groups.values() for record in group):
        return {index: _tracks(group) for index, group in groups.items()}
    return {index: _boxes(group) for index, group in groups.items()}


def _record(entry: Node, images: dict[int, Node]) -> BoxRecord:
    image_id = image_name = None
    if entry.has("image_id") and isinstance(entry["image_id"].value, str):
        image_name = entry["image_id"].text()
    elif entry.has("image_id"):
        image_id = entry["image_id"].integer()
    if entry.has("image_name"):
        image_name = entry["image_name"].text()
    place = entry
    if images:
        if image_id not in images:
            entry.fail(f"there is no image {image_id}")
        place = images[image_id]
        image_name = place["file_name"].text() if place.has("file_name") else None
    frame_index = place["frame_index"].integer() if place.has("frame_index") else None
    if frame_index is None and image_id is None and image_name is None:
        entry.fail('none of "frame_index", "image_id" and "image_name" is there')
    return BoxRecord(
        xyxy=box_from(entry),
        score=entry["score"].number() if entry.has("score") else 1.0,
        track_id=entry["track_id"].integer() if entry.has("track_id") else None,
        frame_index=frame_index,
        image_id=image_id,
        image_name=image_name,
    )


def _frame_index(record: BoxRecord, positions: dict[tuple[str, ...], int], path: Path) -> int | None:
    """The index of a detection's frame; None if it is on a picture that is not in positions."""
    if positions and record.image_name is not None:
        tail = name_tail(record.image_name)
        return positions.get(tail, positions.get(tail[-1:]))
    if record.frame_index is not None:
        return record.frame_index
    if record.image_id is not None:
        return record.image_id
    numbers = re.findall(r"\d+", PurePosixPath(record.image_name or "").stem)
    if not numbers or len(numbers[-1]) > MOST_DIGITS:
        raise PosecliError(f"{path}: no frame number in the image name {record.image_name!r}")
    return int(numbers[-1])


def name_tail(name: str) -> tuple[str, ...]:
    """The file's name, after the folder that it is in where that is told."""
    return PurePosixPath(name.replace("\\", "/")).parts[-2:]


def _boxes(group: list[BoxRecord]) -> Boxes:
    scores = np.array([record.score for record in group], np.float32)
    return Boxes(np.stack([record.xyxy for record in group]), scores)


def _tracks(group: list[BoxRecord]) -> Tracks:
    ids = np.array([record.track_id for record in group], np.int64)
    boxes = _boxes(group)
    return Tracks(ids, boxes.xyxy, boxes.scores)
