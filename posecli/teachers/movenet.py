"""MoveNet SinglePose Thunder as a teacher, run by onnxruntime (extra `teacher`).

The ONNX file takes `rgb`, (n, 256, 256, 3) float32 0..255, and gives `keypoints`, (n, 17, 3) of y, x in shares of the
crop and a score, and `kpt_heatmap`, (n, 64, 64, 17) in 0..1, of everyone in the crop.

Shapes: n people, K = 17 keypoints in COCO's order, G = 64 cells of the teacher's heatmap.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecli.geometry.crop import Affine, warp
from posecli.teachers.onnx_file import open_onnx
from posecli.types import FloatArray, Image

SIDE = 256  # pixels of a crop
CELLS = 64
PADDING = 1.25  # of the box's longer side


@dataclass(frozen=True, slots=True)
class TeacherAnswer:
    """What the teacher sees in square crops."""

    keypoints: FloatArray  # (n, K, 2) cells, continuous: 0 is the crop's left or upper border
    scores: FloatArray  # (n, K)
    heatmaps: FloatArray  # (n, K, G, G)


@dataclass(frozen=True, slots=True)
class SquareCrop:
    """Where a teacher's crop lies in the picture."""

    center: FloatArray  # (2,) pixels
    side: float  # pixels

    @classmethod
    def around(cls, box: FloatArray) -> SquareCrop:
        """box: (4,) x0, y0, x1, y1 pixels."""
        center = ((box[:2] + box[2:]) / 2).astype(np.float32)
        return cls(center, max(float((box[2:] - box[:2]).max()), 1.0) * PADDING)

    @property
    def cell(self) -> float:
        """Pixels of the picture."""
        return self.side / CELLS

    @property
    def corner(self) -> FloatArray:
        """(2,) pixels of the picture."""
        return self.center - self.side / 2

    def cut(self, image: Image) -> Image:
        """(SIDE, SIDE, 3)."""
        scale = SIDE / self.side
        offset = SIDE / 2 - self.center.astype(np.float64) * scale
        affine: Affine = np.column_stack([np.eye(2) * scale, offset])
        return warp(image, affine, (SIDE, SIDE))


class Thunder:
    """The teacher.

    Raises:
        PosecliError: the file can't be read as an ONNX model with Thunder's inputs and outputs.
    """

    def __init__(self, path: Path) -> None:
        names = {"keypoints", "kpt_heatmap"}
        self._session: Any = open_onnx(
            path, "MoveNet Thunder", lambda outputs: names <= {output.name for output in outputs}
        )

    def __call__(self, crops: NDArray[np.uint8]) -> TeacherAnswer:
        """crops: (n, SIDE, SIDE, 3) RGB."""
        outputs = self._session.run(["keypoints", "kpt_heatmap"], {"rgb": crops.astype(np.float32)})
        found, heatmaps = outputs
        return TeacherAnswer(found[..., 1::-1] * CELLS, found[..., 2], heatmaps.transpose(0, 3, 1, 2))
