"""COCO results (`coco-results`): the bare list that pycocotools loads, COCO's 17 keypoints in COCO's order.

`image_id` is the frame's index. Poses of another skeleton are converted, since nothing in a bare list could
tell their order. What the list has no room for stands in a sidecar (see posecli.formats.sidecar).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from posecli.formats.atomic import ReplacingFile
from posecli.formats.base import Contents, Person, PoseWriter, convert_poses, converted
from posecli.formats.coco import box_entries, dumps, image_id, keypoint_entries, person_from
from posecli.formats.json_stream import open_document
from posecli.formats.sidecar import SidecarWriter, read_sidecar
from posecli.formats.stream import Entry, PoseStream, are_in_order, merged
from posecli.skeletons import COCO
from posecli.types import Poses


class CocoResultsWriter(PoseWriter):
    def __init__(self, path: Path, contents: Contents) -> None:
        self._skeleton = contents.skeleton
        self._output = ReplacingFile(path)
        self._sidecar = SidecarWriter(path, converted(contents, COCO), boxes=False)
        self._stack = ExitStack()
        self._separator = "[\n"

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(self._output)
        # Entered last, finished first: should it fail, the list is not put in place either.
        self._stack.enter_context(self._sidecar)
        return self

    def write(self, poses: Poses) -> None:
        poses = convert_poses(poses, self._skeleton, COCO)
        self._sidecar.write(poses)
        for person, keypoints in zip(box_entries(poses), keypoint_entries(poses), strict=True):
            self._file.write(self._separator + dumps(person | keypoints))
            self._separator = ",\n"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write("[]\n" if self._separator == "[\n" else "]\n")
        self._stack.__exit__(kind, error, trace)


def open_coco_results(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens a COCO results list, with its sidecar where there is one.

    Without a sidecar an image_id is taken for the frame's index, and only pictures with people are known.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    sidecar = read_sidecar(path, entry)
    frames = dict(sidecar.frames)
    document = open_document(path)
    empty = Poses.empty(0, math.nan, len(COCO))
    for node in document.items():
        key = image_id(node)
        if isinstance(key, int) and key not in frames:
            frames[key] = replace(empty, frame_index=key)

    def people() -> Iterator[tuple[int, Person]]:
        for result in document.items():
            with entry():
                key = result["image_id"].integer()
                if key not in frames:  # 7.0
                    result["image_id"].fail("a whole number expected")
                yield key, person_from(result, len(COCO))

    in_order = are_in_order(frames, map(image_id, document.items()))
    return PoseStream(sidecar.video, COCO, sidecar.provenance, merged(frames, people, in_order=in_order))
