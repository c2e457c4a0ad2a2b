"""OKS AP, COCO's metric of keypoints, through pycocotools (https://cocodataset.org/#keypoints-eval)."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.formats.base import convert_poses, estimated
from posecli.metrics.protocol import Figures, Report
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses

if TYPE_CHECKING:
    from posecli.data.footage import Footage
    from posecli.data.people import Person

# pycocotools' ten figures in its order.
FIGURES = ("AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL")


class OksMetric:
    """AP and AR over OKS 0.5 to 0.95. Crowds and people without a labelled joint are neither found nor missed.

    People are ranked by person_scores. A labelled person's size is the outline's area, or the box's where the layout
    has no outlines. Memory grows with the number of people.

    Raises:
        PosecliError: pycocotools is not installed.
    """

    def __init__(self) -> None:
        try:
            import pycocotools.cocoeval  # noqa: F401 (a missing package is told now, not after hours of estimation)
        except ImportError:
            raise PosecliError("OKS AP needs pycocotools: pip install pycocotools") from None
        self.reset()

    def reset(self) -> None:
        self._skeleton: Skeleton | None = None
        self._images: list[dict[str, Any]] = []
        self._labels: list[dict[str, Any]] = []
        self._detections: list[dict[str, Any]] = []

    def update(
        self, footage: Footage, predictions: Mapping[int, Poses], skeleton: Skeleton | None = None
    ) -> None:
        """One sequence; see DatasetMetric. Pictures that are not labelled are left out."""
        target = footage.skeleton
        if self._skeleton not in (None, target):
            raise ValueError(f"{footage.name} has other joints than the sequences before")
        self._skeleton = target
        for place, picture in enumerate(footage.frames):
            if not picture.labelled:
                continue
            image_id = len(self._images) + 1
            self._images.append({"id": image_id})
            for person in footage.people.get(place, ()):
                self._labels.append(_entry(len(self._labels) + 1, image_id) | _label(person))
            if place in predictions:
                self._add(image_id, convert_poses(predictions[place], skeleton or target, target))

    def _add(self, image_id: int, poses: Poses) -> None:
        known = estimated(poses)
        points = np.where(known[..., None], poses.keypoints, 0)
        for i, score in enumerate(person_scores(poses).tolist()):
            self._detections.append(
                _entry(len(self._detections) + 1, image_id)
                | _extent(poses.tracks.xyxy[i])
                | {"keypoints": _triples(points[i], known[i]), "score": score}
            )

    def compute(self) -> Figures:
        """AP, AP50, AP75, APM and APL (medium and large people), and the same of recall, in per cent."""
        from pycocotools.cocoeval import COCOeval

        if self._skeleton is None:
            raise ValueError("no sequences were given")
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports by print
            evaluation = COCOeval(self._dataset(self._labels), self._dataset(self._detections), "keypoints")
            evaluation.params.kpt_oks_sigmas = np.array(self._skeleton.sigmas)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        # -1 stands for "there were none".
        values = [100 * float(value) if value >= 0 else math.nan for value in evaluation.stats]
        return dict(zip(FIGURES, values, strict=True))

    def report(self) -> Report:
        return {"OKS": self.compute()}

    def _dataset(self, annotations: list[dict[str, Any]]) -> Any:
        from pycocotools.coco import COCO

        dataset = COCO()
        dataset.dataset = {
            "images": self._images,
            "annotations": [
                dict(annotation) for annotation in annotations
            ],  # the evaluation writes into them
            "categories": [{"id": 1}],
        }
        dataset.createIndex()
        return dataset


def person_scores(poses: Poses) -> NDArray[np.float64]:
    """(n,) box score times the mean score of the estimated keypoints; 0 for people without any."""
    known = estimated(poses) & np.isfinite(poses.scores)
    total = np.where(known, poses.scores, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(poses.tracks.scores * total / np.maximum(known.sum(axis=1), 1), np.float64)


def _entry(number: int, image_id: int) -> dict[str, Any]:
    return {"id": number, "image_id": image_id, "category_id": 1, "iscrowd": 0}


def _label(person: Person) -> dict[str, Any]:
    extent = _extent(person.box)
    return {
        **extent,
        "keypoints": _triples(person.keypoints, person.labelled > 0),
        "num_keypoints": int((person.labelled > 0).sum()),
        "iscrowd": int(person.crowd),
        "area": extent["area"] if person.area is None else person.area,
    }


def _extent(xyxy: FloatArray) -> dict[str, Any]:
    x0, y0, x1, y1 = (float(value) for value in xyxy)
    return {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}


def _triples(points: FloatArray, known: NDArray[np.bool_]) -> list[float]:
    visibility = np.where(known, 2.0, 0.0)
    return np.concatenate([points, visibility[:, None]], axis=1).ravel().tolist()
