"""Quality of detected boxes: AP50 by pycocotools, and recall by the people's height in the picture."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.types import Boxes, FloatArray

OVERLAP = 0.5
# People's heights as shares of the picture's: small below the first, large above the second.
SIZES = (0.25, 0.5)


class BoxMetric:
    """Gathers pictures, then AP at IoU 0.5 and recall.

    Args:
        threshold: recall counts detections of at least this score.
    """

    def __init__(self, threshold: float = 0.3) -> None:
        self._threshold = threshold
        self._images: list[dict[str, Any]] = []
        self._labels: list[dict[str, Any]] = []
        self._detections: list[dict[str, Any]] = []
        self._found: list[tuple[float, bool]] = []  # height share, found

    def update(
        self, detected: Boxes, boxes: FloatArray, crowd: NDArray[np.bool_], picture_height: int
    ) -> None:
        """One picture: detections, true boxes (n, 4) xyxy, which of them to ignore, and its height in pixels."""
        image_id = len(self._images) + 1
        self._images.append({"id": image_id})
        for box, ignore in zip(boxes, crowd, strict=True):
            x, y, w, h = _xywh(box)
            self._labels.append(
                {"id": len(self._labels) + 1, "image_id": image_id, "category_id": 1, "bbox": [x, y, w, h],
                 "area": w * h, "iscrowd": int(ignore)}
            )  # fmt: skip
        for box, score in zip(detected.xyxy, detected.scores, strict=True):
            self._detections.append(
                {"image_id": image_id, "category_id": 1, "bbox": list(_xywh(box)), "score": float(score)}
            )
        sure = detected[detected.scores >= self._threshold]
        matched = greedy_match(sure, boxes[~crowd])
        heights = (boxes[~crowd][:, 3] - boxes[~crowd][:, 1]) / picture_height
        self._found += list(zip(heights.tolist(), matched.tolist(), strict=True))

    def compute(self) -> dict[str, float]:
        """ap50, recall (all), recall_small, recall_medium, recall_large, and recall_tall (the last two together)."""
        heights = np.array([height for height, _ in self._found])
        found = np.array([hit for _, hit in self._found], float)
        bounds = [("recall", 0.0, np.inf), ("recall_small", 0.0, SIZES[0]), ("recall_medium", *SIZES),
                  ("recall_large", SIZES[1], np.inf), ("recall_tall", SIZES[0], np.inf)]  # fmt: skip
        recalls = {}
        for name, low, high in bounds:
            chosen = found[(heights > low) & (heights <= high)]
            recalls[name] = float(chosen.mean()) if len(chosen) else float("nan")
        return {"ap50": self._average_precision()} | recalls

    def _average_precision(self) -> float:
        try:
            from pycocotools.coco import COCO
            from pycocotools.cocoeval import COCOeval
        except ImportError:
            raise PosecliError("detection AP needs pycocotools: pip install pycocotools") from None
        if not self._detections:
            return 0.0
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports by print
            truth = COCO()
            truth.dataset = {
                "info": {},
                "images": self._images,
                "annotations": self._labels,
                "categories": [{"id": 1}],
            }
            truth.createIndex()
            evaluation = COCOeval(truth, truth.loadRes(self._detections), "bbox")
            evaluation.params.iouThrs = np.array([OVERLAP])
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"][0, :, 0, 0, -1]
        precision = precision[precision > -1]
        return float(precision.mean()) if len(precision) else float("nan")


def greedy_match(detected: Boxes, boxes: FloatArray) -> NDArray[np.bool_]:
    """(n,) which true boxes have a detection of IoU >= OVERLAP; each detection, best score first, serves one."""
    found = np.zeros(len(boxes), bool)
    if len(boxes) == 0:
        return found
    for box in detected.xyxy[np.argsort(-detected.scores, kind="stable")]:
        overlap = np.where(found, 0.0, iou(box, boxes))
        best = int(np.argmax(overlap))
        if overlap[best] >= OVERLAP:
            found[best] = True
    return found


def iou(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """IoU of one box (4,) with others (n, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1e-9)


def _xywh(box: FloatArray) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(v) for v in box)
    return x0, y0, x1 - x0, y1 - y0
