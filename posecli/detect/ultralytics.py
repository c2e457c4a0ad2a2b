"""Person detectors of the ultralytics package (AGPL-3.0, an extra that nothing else here imports)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from posecli.errors import PosecliError
from posecli.types import Boxes, Image

if TYPE_CHECKING:
    import torch


class UltralyticsDetector:
    """Any ultralytics detection or pose model that knows the class "person"."""

    def __init__(self, model: str, *, device: torch.device | str, threshold: float) -> None:
        """Load a model by its path, or by a name that ultralytics downloads itself ("yolo11n.pt").

        Raises:
            PosecliError: ultralytics is not installed, cannot load the model, or the model knows no person.
        """
        self.name = Path(model).name
        self._path = model
        self._device = str(device)
        self._threshold = threshold
        yolo = _import_yolo()
        if Path(model).suffix.lower() == ".pt":
            warnings.warn(
                f"{model} is a pickle: loading it runs whatever code is inside; use only files you trust",
                stacklevel=2,
            )
        try:
            self._model = yolo(model)
        except Exception as error:
            raise PosecliError(
                f"{model}: ultralytics cannot load this model ({_first_line(error)})"
            ) from error
        self._classes = [index for index, name in self._model.names.items() if name == "person"]
        if not self._classes:
            raise PosecliError(f"{model}: this model has no class called person; choose another detector")

    def detect(self, images: Sequence[Image]) -> list[Boxes]:
        if not images:
            return []
        results = self._model.predict(
            source=[np.ascontiguousarray(image[..., ::-1]) for image in images],  # ultralytics wants BGR
            conf=self._threshold,
            classes=self._classes,
            device=self._device,
            verbose=False,
        )
        return [_to_boxes(result.boxes, self._classes) for result in results]

    def provenance(self) -> dict[str, Any]:
        import ultralytics

        return {
            "name": self.name,
            "package": f"ultralytics {ultralytics.__version__}",
            "weights": self._path,
            "threshold": self._threshold,
        }


def _import_yolo() -> Any:
    try:
        from ultralytics import YOLO
    except ImportError:
        raise PosecliError(
            "this detector needs the ultralytics package (AGPL-3.0), which is not installed: "
            "pip install 'posecli[yolo]'"
        ) from None
    return YOLO


def _to_boxes(found: Any, classes: list[int]) -> Boxes:
    xyxy = found.xyxy.cpu().numpy().astype(np.float32).reshape(-1, 4)
    scores = found.conf.cpu().numpy().astype(np.float32)
    is_person = np.isin(found.cls.cpu().numpy().astype(int), classes)
    order = np.argsort(-scores[is_person], kind="stable")
    return Boxes(xyxy[is_person][order], scores[is_person][order])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
