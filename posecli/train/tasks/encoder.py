"""Training the light pose encoder on crops of single people.

Shapes: B batch, K keypoints, H and W height and width of the crop, C colours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from posecli.data.augment import Augmentation
from posecli.data.clips import load_clips
from posecli.data.crops import ClipPeople, Crop, PeopleSource, StillPeople, make_crop
from posecli.data.mixture import Key, sample_rng
from posecli.data.people import load_coco
from posecli.errors import PosecliError
from posecli.geometry.heatmaps import cells_to_crop, crop_to_cells, decode
from posecli.metrics.pck import PckByGroup
from posecli.nn.normalize import normalize
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.train.losses import Loss, heatmap_loss
from posecli.train.pretrained import initialize
from posecli.train.recipe import DataShare, Recipe
from posecli.train.schedule import crop_size
from posecli.weights.half import export_half

CROP_SIZE = (256, 192)
HEATMAP_STRIDE = 4
MIN_KEYPOINTS = 4
# Validation clips are labelled on every frame; every tenth says as much.
VALIDATION_STRIDE = 10
EVALUATION_BATCH = 32


class CropDataset(Dataset[Crop]):
    """Augmented crops, by Key."""

    def __init__(self, source: PeopleSource, recipe: Recipe) -> None:
        self._source, self._recipe = source, recipe
        self._augmentation = Augmentation(**recipe.augmentation)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, key: Key) -> Crop:
        rng = sample_rng(self._recipe.seed, key)
        size = crop_size(self._recipe, key.step, CROP_SIZE)
        image, person, group = self._source.load(key.index, rng)
        return make_crop(image, person, group, size, rng, self._augmentation, self._recipe.human_weight)


class EncoderTask:
    """Heatmaps of single crops."""

    def __init__(self, recipe: Recipe, data: Path, cache: Path) -> None:
        self._recipe, self._data, self._cache = recipe, data, cache

    def build_model(self) -> nn.Module:
        model = LitePoseEncoder(LitePoseEncoder.Config())
        initialize(model, model.backbone, self._recipe.init)
        return model

    def datasets(self) -> list[Dataset[Any]]:
        return [CropDataset(self._source(entry), self._recipe) for entry in self._recipe.data]

    def _source(self, entry: DataShare) -> PeopleSource:
        if entry.name == "coco":
            return StillPeople(load_coco(self._data, "train"), MIN_KEYPOINTS, entry.labels == "human")
        if entry.name == "clips":
            return ClipPeople(load_clips(self._data, "train"), self._cache, MIN_KEYPOINTS, entry.stride)
        if entry.name == "synthetic":
            from posecli.data.rendered import RenderedScenes

            return RenderedScenes(entry.size)
        raise PosecliError(f"dataset '{entry.name}' is unknown to the encoder; known: coco, clips, synthetic")

    def collate(self, samples: list[Crop]) -> dict[str, Tensor]:
        return {
            "images_BHWC": torch.from_numpy(np.stack([sample.image for sample in samples])),
            "keypoints_BK2": torch.from_numpy(np.stack([sample.keypoints for sample in samples])),
            "weights_BK": torch.from_numpy(np.stack([sample.weights for sample in samples])),
        }

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Loss:
        images_BHWC = batch["images_BHWC"]
        heatmaps_BKHW = model(normalize(images_BHWC)).heatmaps_BKHW
        crop = (images_BHWC.shape[1], images_BHWC.shape[2])
        heatmap = (heatmaps_BKHW.shape[2], heatmaps_BKHW.shape[3])
        cells_BK2 = crop_to_cells(batch["keypoints_BK2"], heatmap, crop)
        # The Gaussian keeps its size on the person when the crop is small.
        sigma = self._recipe.sigma * crop[0] / CROP_SIZE[0]
        loss = heatmap_loss(self._recipe.loss, heatmaps_BKHW, cells_BK2, batch["weights_BK"], sigma)
        return Loss.of_mean(loss, batch["weights_BK"].sum())

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """PCK@0.1 and @0.2 of the box's height on the validation people, all and by group."""
        return evaluate_crops(model, self._data, self._cache, self._recipe.bf16)

    def export(self, model: nn.Module, folder: Path, notes: dict[str, str]) -> Path:
        return export_half(model, folder / "encoder.safetensors", notes)


@torch.inference_mode()
def evaluate_crops(model: nn.Module, data: Path, cache: Path, bf16: bool) -> dict[str, float]:
    """PCK of a model that maps normalised crops to heatmaps, on the validation stills and clips."""
    sources: list[PeopleSource] = [
        StillPeople(load_coco(data, "val")),
        ClipPeople(load_clips(data, "val"), cache, stride=VALIDATION_STRIDE),
    ]
    metric = PckByGroup()
    for source in sources:
        for start in range(0, len(source), EVALUATION_BATCH):
            indices = range(start, min(start + EVALUATION_BATCH, len(source)))
            rng = np.random.default_rng(0)
            crops = [make_crop(*source.load(i, rng), CROP_SIZE, rng) for i in indices]
            images_BHWC = torch.from_numpy(np.stack([crop.image for crop in crops]))
            device = next(model.parameters()).device
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                heatmaps_BKHW = model(normalize(images_BHWC.to(device))).heatmaps_BKHW
            metric.update(predict(heatmaps_BKHW), crops)
    return metric.compute()


def predict(heatmaps_BKHW: Tensor) -> np.ndarray:
    """Keypoints (B, K, 2) in crop pixels from an embedded model's heatmaps (logits)."""
    cells_BK2, _ = decode(heatmaps_BKHW, "dark", "softmax")
    size = (heatmaps_BKHW.shape[2], heatmaps_BKHW.shape[3])
    return cells_to_crop(cells_BK2, size, CROP_SIZE).cpu().numpy()
