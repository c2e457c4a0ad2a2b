"""Training the embedded person detector on whole pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from posecli.data.augment import Augmentation
from posecli.data.datasets import find_data
from posecli.data.detection import DetectionSample, make_detection_sample
from posecli.data.mixture import Key, sample_rng
from posecli.data.people import Person, Picture, load_coco
from posecli.data.rendered import RenderedScenes
from posecli.detect.embedded import EMBEDDED_INPUT, EmbeddedDetector
from posecli.detect.tracking import DEFAULT_THRESHOLD
from posecli.errors import PosecliError
from posecli.metrics.boxes import BoxMetric
from posecli.nn.detector import PersonDetector
from posecli.nn.normalize import normalize
from posecli.teachers.box_labels import teacher_boxes, with_teacher
from posecli.teachers.soft_labels import Say
from posecli.train.detection_loss import detection_loss
from posecli.train.losses import Loss
from posecli.train.pretrained import initialize
from posecli.train.recipe import DataShare, Recipe
from posecli.train.schedule import crop_size
from posecli.types import Image
from posecli.video.pictures import read_picture
from posecli.weights.half import export_half

DEFAULT_SIZE = (256, 320)
EVALUATION_THRESHOLD = 0.01  # AP looks at weak boxes too


class PictureDataset(Dataset[DetectionSample]):
    """Augmented pictures, by Key."""

    def __init__(self, source: _Pictures | _Scenes, recipe: Recipe) -> None:
        self._source, self._recipe = source, recipe
        self._augmentation = Augmentation(**recipe.augmentation)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, key: Key) -> DetectionSample:
        rng = sample_rng(self._recipe.seed, key)
        image, people = self._source.load(key.index, rng)
        size = crop_size(self._recipe, key.step, DEFAULT_SIZE)
        return make_detection_sample(image, people, size, rng, self._augmentation)


class _Pictures:
    def __init__(self, pictures: list[Picture]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def load(self, index: int, rng: np.random.Generator) -> tuple[Image, tuple[Person, ...]]:
        return read_picture(self._pictures[index].path), self._pictures[index].people


class _Scenes:
    def __init__(self, size: int) -> None:
        self._scenes = RenderedScenes(size)

    def __len__(self) -> int:
        return len(self._scenes)

    def load(self, index: int, rng: np.random.Generator) -> tuple[Image, tuple[Person, ...]]:
        return self._scenes.render(index, rng)


class DetectorTask:
    """Boxes of people."""

    def __init__(self, recipe: Recipe, data: Path | None, cache: Path, say: Say) -> None:
        self._recipe, self._cache, self._say = recipe, cache, say
        self._data = find_data("coco", data)

    def build_model(self) -> nn.Module:
        model = PersonDetector(PersonDetector.Config())
        initialize(model, model.backbone, self._recipe.init)
        return model

    def datasets(self) -> list[Dataset[Any]]:
        return [PictureDataset(self._source(entry), self._recipe) for entry in self._recipe.data]

    def _source(self, entry: DataShare) -> _Pictures | _Scenes:
        if entry.name == "coco":
            return _Pictures(self._taught(_complete(load_coco(self._data, "train"))))
        if entry.name == "synthetic":
            return _Scenes(entry.size)
        raise PosecliError(f"dataset '{entry.name}' is unknown to the detector; known: coco, synthetic")

    def _taught(self, pictures: list[Picture]) -> list[Picture]:
        """With the teacher's confidence in everyone, where the recipe names a teacher."""
        if not self._recipe.teacher:
            return pictures
        found = teacher_boxes(pictures, Path(self._recipe.teacher), self._cache, self._say)
        pairs = zip(pictures, found, strict=True)
        return [with_teacher(picture, boxes, self._recipe.distillation) for picture, boxes in pairs]

    def collate(self, samples: list[DetectionSample]) -> dict[str, Any]:
        return {
            "images_BHWC": torch.from_numpy(np.stack([sample.image for sample in samples])),
            "boxes": [torch.from_numpy(sample.boxes) for sample in samples],
            "confidence": [torch.from_numpy(sample.confidence) for sample in samples],
            "ignored": [torch.from_numpy(sample.ignored) for sample in samples],
        }

    def loss(self, model: nn.Module, batch: dict[str, Any]) -> Loss:
        device = batch["images_BHWC"].device
        dense = model(normalize(batch["images_BHWC"]))
        people = ([part.to(device) for part in batch[name]] for name in ("boxes", "confidence", "ignored"))
        return detection_loss(dense, *people)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """AP50 and recall on the validation pictures, the complete ones."""
        pictures = _complete(load_coco(self._data, "val"))
        device = next(model.parameters()).device
        detector = EmbeddedDetector(model, EMBEDDED_INPUT, device, EVALUATION_THRESHOLD)  # type: ignore[arg-type]
        return evaluate_detector(detector, pictures)

    def export(self, model: nn.Module, folder: Path, notes: dict[str, str]) -> Path:
        return export_half(model, folder / "detector.safetensors", notes)


def _complete(pictures: list[Picture]) -> list[Picture]:
    return [picture for picture in pictures if picture.complete]


def evaluate_detector(detector: EmbeddedDetector, pictures: list[Picture]) -> dict[str, float]:
    """AP50, and recall by size, of a detector on labelled pictures."""
    metric = BoxMetric(DEFAULT_THRESHOLD)
    for picture in pictures:
        image = read_picture(picture.path)
        boxes = np.array([p.box for p in picture.people], np.float32).reshape(-1, 4)
        crowd = np.array([p.crowd for p in picture.people], bool)
        metric.update(detector.detect([image])[0], boxes, crowd, image.shape[0])
    return metric.compute()
