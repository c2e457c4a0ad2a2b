"""Training the light pose encoder on crops of single people.

Shapes: B batch, K keypoints, H and W height and width of the crop, C colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from posecli.data.augment import NO_AUGMENTATION, Augmentation
from posecli.data.crops import Crop, PeopleSource, SequencePeople, StillPeople, make_crop
from posecli.data.mixture import Key, sample_rng
from posecli.errors import PosecliError
from posecli.geometry.heatmaps import HeatmapKind, cells_to_crop, crop_to_cells, decode
from posecli.metrics.pck import PckByGroup
from posecli.nn.config import ModelConfig
from posecli.nn.normalize import normalize
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.pose_model import build_encoder
from posecli.skeletons import COCO, SKELETONS, Skeleton
from posecli.teachers.soft_labels import Say, SoftLabels, soft_labels
from posecli.teachers.targets import SoftSample, soft_sample, soft_targets, stack_soft
from posecli.train.losses import Loss, heatmap_loss, target_loss
from posecli.train.pretrained import initialize
from posecli.train.recipe import DataShare, Recipe
from posecli.train.schedule import crop_size
from posecli.train.tasks.quality import CLIP_STEP, validation_entries
from posecli.train.tasks.sources import Sources
from posecli.weights.half import export_half
from posecli.weights.presets import load_preset

SIGMA_HEIGHT = 256  # pixels: of the crop for which recipe.sigma is given
EVALUATION_BATCH = 32


@dataclass(frozen=True, slots=True)
class EncoderSample:
    """A crop, and a teacher's opinion of it where one is asked."""

    crop: Crop
    soft: SoftSample | None


class CropDataset(Dataset[EncoderSample]):
    """Augmented crops, by Key.

    Args:
        labels: a teacher's, of the same people.
    """

    def __init__(
        self,
        source: PeopleSource,
        recipe: Recipe,
        size: tuple[int, int],
        skeleton: Skeleton,
        labels: SoftLabels | None = None,
    ) -> None:
        self._source, self._recipe, self._size, self._skeleton = source, recipe, size, skeleton
        self._labels = labels
        self._augmentation = Augmentation(**recipe.augmentation) if recipe.augment else NO_AUGMENTATION

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, key: Key) -> EncoderSample:
        rng = sample_rng(self._recipe.seed, key)
        size = crop_size(self._recipe, key.step, self._size)
        image, person, group = self._source.load(key.index, rng)
        human_weight = self._recipe.human_weight
        crop = make_crop(image, person, group, size, rng, self._augmentation, human_weight, self._skeleton)
        if self._labels is None:
            return EncoderSample(crop, None)
        return EncoderSample(
            crop, soft_sample(self._labels, key.index, crop.affine, crop.mirror, ignored=crop.human)
        )


class EncoderTask:
    """Heatmaps of single crops, of the keypoints and the size that the model's configuration says."""

    def __init__(self, recipe: Recipe, data: Path | None, cache: Path, say: Say) -> None:
        self._recipe, self._cache, self._say = recipe, cache, say
        self._config = load_preset(recipe.model, recipe.overrides)
        self._skeleton = SKELETONS[self._config.encoder.skeleton]
        self._sources = Sources(data, cache, self._skeleton, "encoder")
        if recipe.teacher and self._skeleton.name != COCO.name:
            raise PosecliError(
                f"teacher: it knows the keypoints of coco, the model has those of {self._skeleton.name}"
            )

    def build_model(self) -> nn.Module:
        """
        Raises:
            PosecliError: the model stands on another kind of encoder, or recipe.init does not fit.
        """
        model = build_encoder(self._config)
        if not isinstance(model, LitePoseEncoder):
            raise PosecliError(
                f"{self._config.name} stands on {self._config.encoder.title}, which posecli does not train: give a "
                f'model with encoder.kind = "efficientnet-lite0", or take a checkpoint (docs/weights.md)'
            )
        initialize(model, model.backbone, self._recipe.init)
        return model

    def datasets(self) -> list[Dataset[Any]]:
        return [self._dataset(entry) for entry in self._recipe.data]

    def _dataset(self, entry: DataShare) -> CropDataset:
        size = (self._config.input.height, self._config.input.width)
        people = self._sources.people(entry, "train", entry.stride)
        labels = None
        if self._recipe.teacher:
            if not isinstance(people, StillPeople | SequencePeople):
                raise PosecliError(
                    f"teacher: people of '{entry.name}' are drawn anew each time: leave them out"
                )
            labels = soft_labels(people, Path(self._recipe.teacher), self._cache, self._say)
        return CropDataset(people, self._recipe, size, self._skeleton, labels)

    def collate(self, samples: list[EncoderSample]) -> dict[str, Tensor]:
        crops, soft = [s.crop for s in samples], [s.soft for s in samples if s.soft is not None]
        labels = {
            "images_BHWC": torch.from_numpy(np.stack([crop.image for crop in crops])),
            "keypoints_BK2": torch.from_numpy(np.stack([crop.keypoints for crop in crops])),
            "weights_BK": torch.from_numpy(np.stack([crop.weights for crop in crops])),
        }
        return labels | stack_soft(soft) if soft else labels

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Loss:
        images_BHWC = batch["images_BHWC"]
        crop = self._config.input
        heatmaps_BKHW = model(normalize(images_BHWC, crop.mean, crop.std)).heatmaps_BKHW
        size = (images_BHWC.shape[1], images_BHWC.shape[2])
        heatmap = (heatmaps_BKHW.shape[2], heatmaps_BKHW.shape[3])
        cells_BK2 = crop_to_cells(batch["keypoints_BK2"], heatmap, size)
        # The Gaussian keeps its size on the person when the crop is small.
        sigma = self._recipe.sigma * size[0] / SIGMA_HEIGHT
        kind, count = self._recipe.loss, batch["weights_BK"].sum()
        loss = heatmap_loss(kind, heatmaps_BKHW, cells_BK2, batch["weights_BK"], sigma)
        if "soft_windows_BKWW" not in batch:
            return Loss.of_mean(loss, count)
        targets_BKHW, weights_BK = soft_targets(batch, heatmap, size)
        soft = target_loss(kind, heatmaps_BKHW, targets_BKHW, weights_BK)
        values = {"label_loss": float(loss.detach()), "teacher_loss": float(soft.detach())}
        return Loss.of_mean(loss + self._recipe.distillation * soft, count, values)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """PCK@0.1 and @0.2 of the box's height on the validation people, all and by group."""
        people = [
            self._sources.people(entry, "val", CLIP_STEP if entry.name == "clips" else 1)
            for entry in validation_entries(self._recipe.data)
        ]
        return evaluate_crops(model, self._config, people, self._recipe.loss, self._recipe.bf16)

    def export(self, model: nn.Module, folder: Path, notes: dict[str, str]) -> Path:
        return export_half(model, folder / "encoder.safetensors", notes)


@torch.inference_mode()
def evaluate_crops(
    model: nn.Module, config: ModelConfig, sources: list[PeopleSource], loss: str, bf16: bool
) -> dict[str, float]:
    """PCK of a model that maps normalised crops to heatmaps.

    Args:
        config: of the model that the encoder belongs to: its crops and keypoints.
        loss: that the encoder was trained with, which says how its heatmaps are read.
    """
    metric, skeleton = PckByGroup(), SKELETONS[config.encoder.skeleton]
    size, mean, std = (config.input.height, config.input.width), config.input.mean, config.input.std
    kind: HeatmapKind = "softmax" if loss == "cross_entropy" else "linear"
    device = next(model.parameters()).device
    for source in sources:
        for start in range(0, len(source), EVALUATION_BATCH):
            indices = range(start, min(start + EVALUATION_BATCH, len(source)))
            rng = np.random.default_rng(0)
            crops = [make_crop(*source.load(i, rng), size, rng, skeleton=skeleton) for i in indices]
            images_BHWC = torch.from_numpy(np.stack([crop.image for crop in crops]))
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                heatmaps_BKHW = model(normalize(images_BHWC.to(device), mean, std)).heatmaps_BKHW
            metric.update(predict(heatmaps_BKHW, size, kind), crops)
    return metric.compute()


def predict(heatmaps_BKHW: Tensor, crop: tuple[int, int], kind: HeatmapKind) -> np.ndarray:
    """Keypoints (B, K, 2) in pixels of a crop (height, width)."""
    cells_BK2, _ = decode(heatmaps_BKHW, "dark", kind)
    size = (heatmaps_BKHW.shape[2], heatmaps_BKHW.shape[3])
    return cells_to_crop(cells_BK2, size, crop).cpu().numpy()
