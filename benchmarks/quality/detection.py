"""AP50 and recall of the embedded detector and of NanoDet, on the same pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.data.people import Person, Picture
from posecli.data.rendered import RenderedScenes
from posecli.detect.embedded import EmbeddedDetector
from posecli.detect.protocol import Detector
from posecli.detect.tracking import DEFAULT_THRESHOLD
from posecli.metrics.boxes import BoxMetric
from posecli.teachers.nanodet import NanoDet
from posecli.train.tasks.detector import EVALUATION_THRESHOLD
from posecli.types import Boxes, FloatArray, Image
from posecli.video.pictures import read_picture

OURS, NANODET = "embedded", "nanodet"
RENDERED_SCENES = 200
UNSEEN = 100_000  # scenes beyond any recipe's size
Scene = tuple[Image, Sequence[Person]]


@dataclass(frozen=True, slots=True)
class Found:
    """A detector's boxes on one picture, and the truth."""

    boxes: Boxes
    true: FloatArray  # (n, 4) x0, y0, x1, y1 pixels
    crowd: NDArray[np.bool_]  # (n,) regions to ignore
    height: int  # of the picture, pixels


def measure_detection(pictures: Sequence[Picture], teachers: Path | None, bf16: bool) -> list[dict[str, Any]]:
    """One row a detector and threshold. NanoDet stands at the threshold that gives as many boxes as ours does.

    Args:
        pictures: only those on which everybody is boxed count.
        teachers: the folder with nanodet.onnx; None: it is left out.
    """
    complete = [picture for picture in pictures if picture.complete]

    def scenes() -> Iterator[Scene]:
        return ((read_picture(picture.path), picture.people) for picture in complete)

    ours = EmbeddedDetector.load(device="cpu", threshold=EVALUATION_THRESHOLD, bf16=bf16)
    found = find(ours, scenes())
    rows = [_row(OURS, "pictures", found, DEFAULT_THRESHOLD)]
    if teachers is not None:
        peer = find(NanoDet(teachers / "nanodet.onnx", EVALUATION_THRESHOLD), scenes())
        rows.append(_row(NANODET, "pictures", peer, as_many(found, DEFAULT_THRESHOLD, peer)))
    rows.append(_row(OURS, "rendered", find(ours, _rendered()), DEFAULT_THRESHOLD))
    return rows


def find(detector: Detector, scenes: Iterable[Scene]) -> list[Found]:
    return [_found(detector.detect([image])[0], image, people) for image, people in scenes]


def _found(boxes: Boxes, image: Image, people: Sequence[Person]) -> Found:
    true = np.array([person.box for person in people], np.float32).reshape(-1, 4)
    return Found(boxes, true, np.array([person.crowd for person in people], bool), image.shape[0])


def as_many(found: Sequence[Found], threshold: float, peer: Sequence[Found]) -> float:
    """The threshold at which the peer gives as many boxes as the first does at its own."""
    wanted = sum(int((picture.boxes.scores >= threshold).sum()) for picture in found)
    scores = np.sort(np.concatenate([picture.boxes.scores for picture in peer]))[::-1]
    return float(scores[min(wanted, len(scores)) - 1])


def _row(name: str, data: str, found: Sequence[Found], threshold: float) -> dict[str, Any]:
    metric = BoxMetric(threshold)
    for picture in found:
        metric.update(picture.boxes, picture.true, picture.crowd, picture.height)
    boxes = sum(int((picture.boxes.scores >= threshold).sum()) for picture in found)
    return {
        "detector": name,
        "data": data,
        "pictures": len(found),
        "threshold": threshold,
        "boxes_per_picture": boxes / len(found),
    } | metric.compute()


def _rendered() -> Iterator[Scene]:
    scenes = RenderedScenes(UNSEEN + RENDERED_SCENES)
    for index in range(UNSEEN, UNSEEN + RENDERED_SCENES):
        yield scenes.render(index, np.random.default_rng(index))
