"""A teacher's boxes of the people in training pictures, with its doubts: what the detector learns from beside labels.

The teacher looks at a picture six times: whole, mirrored, and at four overlapping parts, in which small people are
larger. What the looks say of one person is averaged, boxes by score, scores over all looks that could have seen it: the
boxes' scores are then a better judgement than one look's.

Shapes: N boxes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from posecli.data.people import Person, Picture
from posecli.detect.protocol import Detector
from posecli.errors import PosecliError
from posecli.metrics.boxes import iou
from posecli.teachers.soft_labels import Say
from posecli.types import Boxes, FloatArray, Image
from posecli.video.pictures import read_picture

LEAST_SCORE = 0.03  # of one look
PART = 0.6  # a part's sides, as shares of the picture's
PART_WEIGHT = 0.5  # of a look at a part beside a look at the whole
LARGEST_IN_PART = 0.45  # of a part's height: larger people are seen well in the whole
BORDER = 3.0  # pixels: a box that ends so near to a part's inner border is cut off there
SAME_PERSON = 0.55  # IoU
LEAST_CONFIDENCE = 0.1  # of somebody whom only the teacher sees: there are many whom it hardly believes in
LAYOUT = 1  # to be raised when the files or the looks change


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, in pixels of the whole picture."""

    boxes: Boxes
    weight: float


def teacher_boxes(pictures: Sequence[Picture], teacher_file: Path, root: Path, say: Say) -> list[Boxes]:
    """The teacher's boxes of each picture, asked now if they are not kept in the folder `root`.

    Raises:
        PosecliError: the teacher or a picture can't be read, or the folder not be written.
    """
    path = root / f"boxes-{_digest(pictures, teacher_file)[:16]}.npz"
    if not path.is_file():
        from posecli.teachers.nanodet import NanoDet

        _keep(ask(pictures, NanoDet(teacher_file, LEAST_SCORE), say), path)
    with np.load(path, allow_pickle=False) as kept:
        ends = np.cumsum(kept["counts"])[:-1]
        parts = zip(np.split(kept["xyxy"], ends), np.split(kept["scores"], ends), strict=True)
        return [Boxes(xyxy, scores) for xyxy, scores in parts]


def _digest(pictures: Sequence[Picture], teacher_file: Path) -> str:
    digest = hashlib.sha256(f"{LAYOUT}".encode())
    if teacher_file.is_file():
        digest.update(teacher_file.read_bytes())
    for picture in pictures:
        digest.update(f"{picture.path.name} {picture.path.stat().st_size}\n".encode())
    return digest.hexdigest()


def _keep(found: Sequence[Boxes], path: Path) -> None:
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            part,
            counts=np.array([len(boxes) for boxes in found], np.int64),
            xyxy=np.concatenate([boxes.xyxy for boxes in found]),
            scores=np.concatenate([boxes.scores for boxes in found]),
        )
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PosecliError(f"{path}: can't be written ({error.strerror})") from None


def ask(pictures: Sequence[Picture], teacher: Detector, say: Say) -> list[Boxes]:
    """Look at every picture; as many at a time as there are processors."""
    found: list[Boxes] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for boxes in pool.map(lambda picture: look_closely(read_picture(picture.path), teacher), pictures):
            found.append(boxes)
            if len(found) * 10 // len(pictures) > (len(found) - 1) * 10 // len(pictures):
                say(f"teacher: {100 * len(found) // len(pictures)} % of {len(pictures):,} pictures")
    return found


def look_closely(image: Image, teacher: Detector) -> Boxes:
    """The boxes of one picture, best first, from all looks at it."""
    return fuse([*_looks(image, teacher)], LARGEST_IN_PART * PART * image.shape[0])


def _looks(image: Image, teacher: Detector) -> Iterator[Look]:
    height, width = image.shape[:2]
    yield Look(teacher.detect([image])[0], 1.0)
    mirrored = teacher.detect([np.ascontiguousarray(image[:, ::-1])])[0]
    x0, y0, x1, y1 = mirrored.xyxy.T
    yield Look(replace(mirrored, xyxy=np.stack([width - x1, y0, width - x0, y1], 1)), 1.0)
    part = max(1, int(PART * height)), max(1, int(PART * width))
    for top in (0, height - part[0]):
        for left in (0, width - part[1]):
            yield Look(_look_at_part(image, (left, top), part, teacher), PART_WEIGHT)


def _look_at_part(image: Image, corner: tuple[int, int], size: tuple[int, int], teacher: Detector) -> Boxes:
    """Small people who are whole in the part."""
    (left, top), (height, width) = corner, size
    boxes = teacher.detect([np.ascontiguousarray(image[top : top + height, left : left + width])])[0]
    x0, y0, x1, y1 = boxes.xyxy.T
    cut = (x0 < BORDER) & (left > 0) | (y0 < BORDER) & (top > 0)
    cut |= (x1 > width - BORDER) & (left + width < image.shape[1])
    cut |= (y1 > height - BORDER) & (top + height < image.shape[0])
    boxes = boxes[~cut & (y1 - y0 < LARGEST_IN_PART * height)]
    return replace(boxes, xyxy=boxes.xyxy + np.array([left, top, left, top], np.float32))


def fuse(looks: Sequence[Look], largest_in_part: float) -> Boxes:
    """One box for each person (Solovyev et al., "Weighted boxes fusion", 2021).

    Args:
        largest_in_part: height in pixels up to which looks at parts count among those that could have seen somebody.
    """
    xyxy_N4 = np.concatenate([look.boxes.xyxy for look in looks])
    scores_N = np.concatenate([look.boxes.scores for look in looks])
    look_N = np.repeat(np.arange(len(looks)), [len(look.boxes) for look in looks])
    weights_N = np.array([look.weight for look in looks])[look_N] * scores_N
    of_whole = sum(look.weight for look in looks if look.weight == 1)
    free_N = np.ones(len(scores_N), bool)
    fused = []
    for first in np.argsort(-weights_N, kind="stable"):
        if not free_N[first]:
            continue
        overlap_N = np.where(free_N & (look_N != look_N[first]), iou(xyxy_N4[first], xyxy_N4), 0)
        members = [first]
        for look in np.unique(look_N[overlap_N > SAME_PERSON]):
            members.append(int(np.argmax(np.where(look_N == look, overlap_N, -1))))
        free_N[members] = False
        share = weights_N[members] / weights_N[members].sum()
        small = xyxy_N4[first, 3] - xyxy_N4[first, 1] < largest_in_part
        could_see = of_whole + PART_WEIGHT * small
        fused.append((share @ xyxy_N4[members], min(1.0, weights_N[members].sum() / could_see)))
    fused.sort(key=lambda entry: -entry[1])
    return Boxes(
        np.array([xyxy for xyxy, _ in fused], np.float32).reshape(-1, 4),
        np.array([score for _, score in fused], np.float32),
    )


def with_teacher(picture: Picture, boxes: Boxes, share: float) -> Picture:
    """The picture with everyone's confidence: (1 - share) of what the labels say and `share` of what the teacher says.

    People whom only the teacher sees come in with little confidence; where it sees one person as two, once.
    """
    scores = _scores_of(picture.people, boxes)
    labelled = [
        replace(person, confidence=1 - share + share * score)
        for person, score in zip(picture.people, scores, strict=True)
    ]
    known = np.array([person.box for person in picture.people], np.float32).reshape(-1, 4)
    extra = [
        _unlabelled(box, share * float(score))
        for box, score in zip(boxes.xyxy, boxes.scores, strict=True)
        if share * score >= LEAST_CONFIDENCE
        and not (len(known) and iou(box, known).max() > SAME_PERSON - 0.1)
    ]
    return replace(picture, people=(*labelled, *extra))


def _scores_of(people: Sequence[Person], boxes: Boxes) -> list[float]:
    """The teacher's score for each labelled person: its best box on them; 0 where it has none."""
    if len(boxes) == 0:
        return [0.0] * len(people)
    overlaps = [iou(person.box, boxes.xyxy) for person in people]
    return [float(np.where(overlap > 0.5, boxes.scores, 0).max()) for overlap in overlaps]


def _unlabelled(box: FloatArray, confidence: float) -> Person:
    nothing = np.zeros((17, 2), np.float32)
    return Person(box, nothing, nothing[:, 0], human=False, confidence=confidence)
