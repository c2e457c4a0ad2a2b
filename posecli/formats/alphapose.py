"""AlphaPose's results (`alphapose`): the list of alphapose-results.json in its default form.

An entry a person: image_id (the picture's file name, or the frame's number with .jpg), category_id, keypoints (x, y,
score of COCO's 17), score, box (x, y, width, height) and idx, the track id
(github.com/MVIG-SJTU/AlphaPose, docs/output.md). What the list has no room for stands in the sidecar. AlphaPose's own
scores of people are sums and exceed 1; here it is the detector's. Of its 26 or 136 keypoints (Halpe) the first 17,
which are COCO's, are read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import (
    NO_TRACK,
    Person,
    box_around,
    box_to_xywh,
    shortest,
    xywh_to_box,
)
from posecli.formats.coco import PERSON
from posecli.formats.document import Node
from posecli.formats.json_list import JsonListWriter
from posecli.formats.json_stream import open_document
from posecli.formats.scored import scored_triples, split_triples
from posecli.formats.sidecar import read_sidecar
from posecli.formats.stream import Entry, PoseStream, are_in_order, merged
from posecli.skeletons import COCO
from posecli.types import Poses

SIZES = (17, 26, 136)  # COCO, Halpe's body, Halpe's whole body


class AlphaposeWriter(JsonListWriter):
    def entries(self, poses: Poses) -> Iterable[Mapping[str, Any]]:
        return _entries(poses)


def _entries(poses: Poses) -> Iterator[dict[str, Any]]:
    name = picture(poses)
    boxes, scores = box_to_xywh(poses.tracks.xyxy).tolist(), shortest(poses.tracks.scores).tolist()
    triples = scored_triples(poses.keypoints, poses.scores)
    for i, track_id in enumerate(poses.tracks.ids.tolist()):
        yield {
            "image_id": name,
            "category_id": PERSON,
            "keypoints": triples[i],
            "score": scores[i],
            "box": boxes[i],
            "idx": track_id,
        }


def picture(poses: Poses) -> str:
    """What an entry calls the picture."""
    return poses.name or f"{poses.frame_index}.jpg"


def open_alphapose(path: Path, entry: Entry = nullcontext) -> PoseStream:
    """Opens AlphaPose's list, with the sidecar where there is one.

    Without one the last number in image_id is the frame's index, and only pictures with people are known.

    Raises:
        PosecliError: the file is not of that form; the message says where.
    """
    sidecar = read_sidecar(path, entry)
    frames = sidecar.frames_by_index()
    named = {picture(frame): index for index, frame in frames.items()}
    document = open_document(path)

    def indices() -> Iterator[int]:
        for node in document.items():
            with suppress(PosecliError):  # said when the people are read
                yield _index(node, named)

    for index in indices():
        if index not in frames:
            frames[index] = Poses.empty(index, math.nan, len(COCO))

    def people() -> Iterator[tuple[int, Person]]:
        for node in document.items():
            with entry():
                yield _index(node, named), _person(node)

    in_order = are_in_order(frames, indices())
    return PoseStream(sidecar.video, COCO, sidecar.provenance, merged(frames, people, in_order=in_order))


def _index(node: Node, named: dict[str, int]) -> int:
    image_id = node["image_id"]
    if not isinstance(image_id.value, str):
        return image_id.integer()
    if image_id.value in named:
        return named[image_id.value]
    numbers = re.findall(r"\d{1,15}", PurePosixPath(image_id.value).stem)
    if not numbers:
        image_id.fail(f"no frame number in {image_id.value[:40]!r}")
    return int(numbers[-1])


def _person(node: Node) -> Person:
    values = node["keypoints"].value
    count = len(values) // 3 if isinstance(values, list) else 0
    triples = node["keypoints"].numbers(3 * (count if count in SIZES else len(COCO))).reshape(-1, 3)
    keypoints, scores = split_triples(triples[: len(COCO)])
    score = node["score"].number() if node.has("score") else 1.0
    box = box_around(keypoints[None])[0]
    if node.has("box"):
        box = xywh_to_box(np.asarray(node["box"].numbers(4))[None])[0]
    return _track_id(node), box, score, keypoints, scores


def _track_id(node: Node) -> int:
    if not node.has("idx"):
        return NO_TRACK
    idx = node["idx"]
    return (idx.single() if isinstance(idx.value, list) else idx).integer()
