"""COCO results (`coco-results`): the bare list that pycocotools loads, COCO's 17 keypoints in COCO's order.

`image_id` is the frame's index. Poses of another skeleton are converted, since nothing in a bare list could
tell their order. What the list has no room for stands in a sidecar (see posecli.formats.sidecar).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from posecli.formats.base import Person
from posecli.formats.coco import box_entries, image_id, keypoint_entries, person_from
from posecli.formats.json_list import JsonListWriter
from posecli.formats.json_stream import open_document
from posecli.formats.sidecar import read_sidecar
from posecli.formats.stream import Entry, PoseStream, are_in_order, merged
from posecli.skeletons import COCO
from posecli.types import Poses


class CocoResultsWriter(JsonListWriter):
    def entries(self, poses: Poses) -> Iterable[Mapping[str, Any]]:
        people = zip(box_entries(poses), keypoint_entries(poses), strict=True)
        return (person | keypoints for person, keypoints in people)


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
