"""Training GLSMamba on windows, on top of a frozen encoder.

Shapes: B windows, T frames, F answered frames, K keypoints, k the encoder's keypoints, H and W height and width,
C channels or colours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from posecli.data.augment import NO_AUGMENTATION, Augmentation
from posecli.data.degrade import Degradation
from posecli.data.mixture import Key, sample_rng
from posecli.data.windows import WindowSample, WindowSource, make_window
from posecli.errors import PosecliError, UsageError
from posecli.geometry.heatmaps import crop_to_cells
from posecli.nn.config import ModelConfig
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.train.features import EncodedSample, FeatureCache, Say, cached_features, stack_encoded
from posecli.train.losses import Loss, heatmap_loss
from posecli.train.pretrained import load_temporal
from posecli.train.recipe import DataShare, Recipe
from posecli.train.tasks.quality import Validation
from posecli.train.tasks.sources import STILLS, SYNTHETIC, Sources, WindowShape
from posecli.weights.encoders import NO_WEIGHTS, find_encoder, load_encoder
from posecli.weights.models import save_model
from posecli.weights.presets import load_preset


class WindowDataset(Dataset[WindowSample]):
    """Augmented windows, by Key."""

    def __init__(self, source: WindowSource, recipe: Recipe, config: ModelConfig) -> None:
        self._source, self._seed, self._skeleton = source, recipe.seed, config.joints
        self._size = (config.input.height, config.input.width)
        self._augmentation = Augmentation(**recipe.augmentation) if recipe.augment else NO_AUGMENTATION
        degrades = recipe.augment and recipe.degrade
        self._degradation = Degradation(**recipe.degradation) if degrades else None

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, key: Key) -> WindowSample:
        rng = sample_rng(self._seed, key)
        raw = self._source.load(key.index, rng)
        return make_window(raw, self._size, rng, self._augmentation, self._degradation, self._skeleton)


class TemporalTask:
    """Heatmaps of windows.

    Args:
        device: runs the encoder where its features are cached.
        say: told what takes long before the first step.
    """

    def __init__(
        self, recipe: Recipe, data: Path | None, cache: Path, device: torch.device, say: Say
    ) -> None:
        self._recipe, self._cache, self._device, self._say = recipe, cache, device, say
        self._config = load_preset(recipe.model, recipe.overrides)
        self._sources = Sources(data, cache, self._config.joints, "temporal")
        self._validation = Validation(self._sources, recipe.data)
        self._shape = WindowShape(
            length=self._config.input.frames,
            strides=recipe.strides,
            keyframe=self._config.temporal.output == "keyframe",
        )
        self._encoder_sha256 = ""
        find_encoder(self._config, recipe.encoder)  # before a large dataset is read
        if recipe.cache_features:
            _check_cacheable(recipe, self._config)

    def build_model(self) -> nn.Module:
        """The whole model, its encoder as recipe.encoder says, the rest new or from a whole model (recipe.init).

        Raises:
            PosecliError: a file is missing or does not fit.
        """
        with torch.random.fork_rng(devices=[]):
            # An encoder without weights is the same one whoever builds it: the feature cache does, too.
            torch.manual_seed(self._recipe.seed)
            model = PoseModel(self._config)
        sha256 = load_encoder(model.encoder, self._config, self._recipe.encoder)
        if sha256 == NO_WEIGHTS and not self._encoder_sha256:
            self._say("encoder: random weights" + (", frozen" if self._config.encoder.frozen else ""))
        self._encoder_sha256 = sha256
        load_temporal(model, self._recipe.init)
        return model

    def datasets(self) -> list[Dataset[Any]]:
        if self._recipe.cache_features:
            model = self.build_model().to(self._device)
            assert isinstance(model, PoseModel)
            return [self._cached(entry, model) for entry in self._recipe.data]
        return [
            WindowDataset(self._sources.windows(entry, "train", self._shape), self._recipe, self._config)
            for entry in self._recipe.data
        ]

    def _cached(self, entry: DataShare, model: PoseModel) -> FeatureCache:
        sequences = self._sources.sequences(entry, "train")
        windows = self._sources.sequence_windows(entry, sequences, self._shape)
        stride, bf16 = self._shape.strides[0], self._recipe.bf16
        return cached_features(model, sequences, windows, stride, self._cache, bf16, self._say)

    def collate(self, samples: list[WindowSample] | list[EncodedSample]) -> dict[str, Tensor]:
        labels = {
            "keypoints_BTK2": torch.from_numpy(np.stack([sample.keypoints for sample in samples])),
            "weights_BTK": torch.from_numpy(np.stack([sample.weights for sample in samples])),
        }
        encoded = [sample for sample in samples if isinstance(sample, EncodedSample)]
        if encoded:
            return labels | stack_encoded(encoded)
        images = [sample.images for sample in samples if isinstance(sample, WindowSample)]
        return labels | {"images_BTHWC": torch.from_numpy(np.stack(images))}

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Loss:
        assert isinstance(model, PoseModel)
        encoded = _encoded(model, batch)
        answered, heatmap, crop = list(model.output_frames), self._config.heatmap, self._config.input
        cells_BFK2 = crop_to_cells(
            batch["keypoints_BTK2"][:, answered], (heatmap.height, heatmap.width), (crop.height, crop.width)
        )
        weights_BFK = batch["weights_BTK"][:, answered]
        labels = (cells_BFK2.flatten(0, 1), weights_BFK.flatten(0, 1), heatmap.sigma)
        mean = heatmap_loss(heatmap.loss, model.answer(encoded).flatten(0, 1), *labels)
        values = {}
        if self._config.encoder_is_comparable and encoded.heatmaps_BTKHW is not None:
            with torch.no_grad():
                alone_BFKHW = encoded.heatmaps_BTKHW[:, answered].flatten(0, 1)
                values["encoder_loss"] = float(heatmap_loss(heatmap.loss, alone_BFKHW, *labels))
        return Loss.of_mean(mean, weights_BFK.sum(), values)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Each dataset's figures (see Validation), with boxes of the ground truth."""
        assert isinstance(model, PoseModel)
        return self._validation(model, self._recipe.bf16)

    def export(self, model: nn.Module, folder: Path, notes: dict[str, str]) -> Path:
        assert isinstance(model, PoseModel)
        path = folder / f"{self._config.name}.safetensors"
        save_model(path, model, notes | {"encoder_sha256": self._encoder_sha256})
        return path


def _encoded(model: PoseModel, batch: dict[str, Tensor]) -> EncodedWindows:
    """What the encoder says of a batch's crops, or said of them when they were cached."""
    if "features_BTCHW" not in batch:
        return model.encode(batch["images_BTHWC"])
    features_BTCHW, heatmaps_BTkHW = _working(batch["features_BTCHW"]), batch.get("heatmaps_BTkHW")
    return EncodedWindows(features_BTCHW, None if heatmaps_BTkHW is None else _working(heatmaps_BTkHW))


def _working(kept: Tensor) -> Tensor:
    """bf16 is what the encoder gives under autocast; fp16 is kept for training in fp32."""
    return kept.float() if kept.dtype == torch.float16 else kept


def _check_cacheable(recipe: Recipe, config: ModelConfig) -> None:
    """
    Raises:
        UsageError: the encoder would see something else in every epoch, or learns.
    """
    drawn = [entry.name for entry in recipe.data if entry.name in (STILLS, SYNTHETIC)]
    if recipe.augment or len(recipe.strides) > 1:
        raise UsageError(
            "cache_features keeps what the encoder says of windows as they are: add --set augment=false and one "
            "stride, --set strides=[1]"
        )
    if drawn:
        raise UsageError(
            f"cache_features: windows of '{drawn[0]}' are drawn anew each time and can't be kept"
        )
    if not config.encoder.frozen:
        raise PosecliError(
            f"cache_features: the encoder of {config.name} is not frozen (encoder.frozen = false)"
        )
