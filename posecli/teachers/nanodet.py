"""NanoDet (COCO, 416 pixels; Lyu, github.com/RangiLyu/nanodet), the embedded detector's teacher and peer.

The ONNX file takes `x`, (1, 3, 416, 416) BGR with the mean and deviation below, the picture in the middle of grey 114.
For each of three strides it gives the scores of 80 classes (0 is a person) and, for each side of a box, a distribution
over the distances 0 to 10 strides.

Shapes: N cells of a level, m cells above the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from posecli.detect.letterbox import PADDING_GREY
from posecli.geometry.crop import apply_affine, invert_affine, warp
from posecli.teachers.onnx_file import open_onnx
from posecli.types import Boxes, FloatArray, Image

SIDE = 416  # pixels
STRIDES = (8, 16, 32)
BINS = 11
CLASSES = 80
MEAN_BGR, STD_BGR = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
NMS_IOU = 0.55


class NanoDet:
    """A posecli.detect.protocol.Detector.

    Raises:
        PosecliError: the file can't be read as an ONNX model with NanoDet's outputs.
    """

    name = "nanodet"

    def __init__(self, file: Path, threshold: float) -> None:
        self._session = open_onnx(file, "NanoDet", _fits)
        self._threshold = threshold

    def detect(self, images: Sequence[Image]) -> list[Boxes]:
        return [self._detect(image) for image in images]

    def provenance(self) -> dict[str, Any]:
        return {"name": self.name, "threshold": self._threshold}

    def _detect(self, image: Image) -> Boxes:
        height, width = image.shape[:2]
        scale = SIDE / max(height, width)
        # Pixel centres are at integers on both sides.
        middle = (SIDE - 1) / 2 - scale * (np.array([width, height]) - 1) / 2
        affine = np.column_stack([np.eye(2) * scale, middle])
        bgr = warp(image, affine, (SIDE, SIDE), border=PADDING_GREY)[..., ::-1]
        x_1CHW = ((bgr - np.array(MEAN_BGR)) / STD_BGR).astype(np.float32).transpose(2, 0, 1)[None]
        answers = {a.shape[1:]: a[0] for a in self._session.run(None, {"x": x_1CHW})}
        levels = [
            self._decode(answers[(SIDE // s) ** 2, CLASSES], answers[(SIDE // s) ** 2, 4 * BINS], s)
            for s in STRIDES
        ]
        corners, scores = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        kept = _suppress(corners, scores)
        in_picture = apply_affine(invert_affine(affine), corners[kept].reshape(-1, 2, 2)).reshape(-1, 4)
        inside = np.clip(in_picture, 0, [width, height, width, height])
        return Boxes(inside.astype(np.float32), scores[kept].astype(np.float32))

    def _decode(
        self, scores_NC: FloatArray, sides_N: FloatArray, stride: int
    ) -> tuple[FloatArray, FloatArray]:
        """Corners (m, 4) in pixels of the input, and scores (m,), of one level."""
        scores_N = scores_NC[:, 0]
        chosen = scores_N > self._threshold
        bins = sides_N.reshape(-1, 4, BINS)[chosen]
        share = np.exp(bins - bins.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        left, top, right, bottom = (share @ np.arange(BINS) * stride).T
        y, x = ((np.mgrid[: SIDE // stride, : SIDE // stride] + 0.5) * stride).reshape(2, -1)[:, chosen]
        return np.stack([x - left, y - top, x + right, y + bottom], 1), scores_N[chosen]


def _fits(outputs: list[Any]) -> bool:
    shapes = {tuple(output.shape[1:]) for output in outputs}
    return shapes == {((SIDE // stride) ** 2, size) for stride in STRIDES for size in (CLASSES, 4 * BINS)}


def _suppress(corners: FloatArray, scores: FloatArray) -> np.ndarray:
    xywh = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), 0.0, NMS_IOU)
    return np.asarray(kept, np.int64).reshape(-1)
