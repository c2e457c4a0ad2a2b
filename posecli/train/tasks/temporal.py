"""Training GLSMamba on windows, on top of a frozen encoder.

Shapes: B windows, T frames, F answered frames, K keypoints, H and W height and width, C colours.
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
from posecli.data.crops import StillPeople
from posecli.data.degrade import Degradation
from posecli.data.mixture import Key, sample_rng
from posecli.data.people import load_coco
from posecli.data.rendered import RenderedScenes
from posecli.data.windows import (
    CameraMotion,
    ClipWindows,
    MovingStills,
    RenderedWindows,
    WindowSample,
    WindowSource,
    make_window,
)
from posecli.errors import PosecliError
from posecli.geometry.heatmaps import crop_to_cells
from posecli.metrics.pck import PckByGroup, SizedKeypoints
from posecli.nn.pose_model import PoseModel
from posecli.train.losses import heatmap_loss
from posecli.train.recipe import DataShare, Recipe
from posecli.weights.models import load_into, save_model
from posecli.weights.presets import load_preset

MIN_KEYPOINTS = 4
STRIDES = (1, 2)
EVALUATION_BATCH = 8
EVALUATION_STEP = 10  # every tenth frame of a validation clip begins a window
STILL = CameraMotion(shift=0, turn=0, zoom=0)


class WindowDataset(Dataset[WindowSample]):
    """Augmented windows, by Key."""

    def __init__(self, source: WindowSource, recipe: Recipe, size: tuple[int, int]) -> None:
        self._source, self._recipe, self._size = source, recipe, size
        self._augmentation = Augmentation(**recipe.augmentation)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, key: Key) -> WindowSample:
        rng = sample_rng(self._recipe.seed, key)
        raw = self._source.load(key.index, rng)
        return make_window(raw, self._size, rng, self._augmentation, Degradation())


class TemporalTask:
    """Heatmaps of windows."""

    def __init__(self, recipe: Recipe, data: Path, cache: Path) -> None:
        self._recipe, self._data, self._cache = recipe, data, cache
        self._config = load_preset(recipe.model)
        self._size = (self._config.input.height, self._config.input.width)

    def build_model(self) -> nn.Module:
        """The whole model, its encoder from the recipe's `init` file."""
        model = PoseModel(self._config)
        if self._recipe.init != "none":
            load_into(model.encoder, Path(self._recipe.init))
        return model

    def datasets(self) -> list[Dataset[Any]]:
        return [WindowDataset(self._source(entry), self._recipe, self._size) for entry in self._recipe.data]

    def _source(self, entry: DataShare) -> WindowSource:
        length = self._config.input.frames
        if entry.name == "clips":
            return ClipWindows(load_clips(self._data, "train"), self._cache, length, STRIDES)
        if entry.name == "coco":
            return MovingStills(
                StillPeople(load_coco(self._data, "train"), MIN_KEYPOINTS, entry.labels == "human"), length
            )
        if entry.name == "synthetic":
            return RenderedWindows(RenderedScenes(entry.size), length)
        raise PosecliError(
            f"dataset '{entry.name}' is unknown to the temporal task; known: clips, coco, synthetic"
        )

    def collate(self, samples: list[WindowSample]) -> dict[str, Tensor]:
        return {
            "images_BTHWC": torch.from_numpy(np.stack([sample.images for sample in samples])),
            "keypoints_BTK2": torch.from_numpy(np.stack([sample.keypoints for sample in samples])),
            "weights_BTK": torch.from_numpy(np.stack([sample.weights for sample in samples])),
        }

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        assert isinstance(model, PoseModel)
        encoded = model.encode(batch["images_BTHWC"])
        heatmaps = model.temporal(encoded.features_BTCHW, encoded.heatmaps_BTKHW)
        if model.config.temporal.output == "keyframe":
            heatmaps = heatmaps[:, None]
        answered = list(model.output_frames)
        heatmap = self._config.heatmap
        cells_BFK2 = crop_to_cells(
            batch["keypoints_BTK2"][:, answered], (heatmap.height, heatmap.width), self._size
        )
        arguments = (cells_BFK2.flatten(0, 1), batch["weights_BTK"][:, answered].flatten(0, 1), heatmap.sigma)
        loss = heatmap_loss(heatmap.loss, heatmaps.flatten(0, 1), *arguments)
        with torch.no_grad():
            base_BFK = encoded.heatmaps_BTKHW[:, answered].flatten(0, 1)
            comparable = base_BFK.shape == heatmaps.flatten(0, 1).shape
            base = float(heatmap_loss(heatmap.loss, base_BFK, *arguments)) if comparable else float("nan")
        return loss, {"encoder_loss": base}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """PCK on the validation people: clips as they are, stills repeated; and of the encoder alone."""
        assert isinstance(model, PoseModel)
        return evaluate_windows(model, self._data, self._cache, self._recipe.bf16)

    def export(self, model: nn.Module, folder: Path, notes: dict[str, str]) -> Path:
        assert isinstance(model, PoseModel)
        path = folder / f"{self._config.name}.safetensors"
        save_model(path, model, notes)
        return path


@torch.inference_mode()
def evaluate_windows(
    model: PoseModel, data: Path, cache: Path, bf16: bool, degradation: Degradation | None = None
) -> dict[str, float]:
    """PCK@0.1 and @0.2 of the box's height by group, and the encoder's own ("encoder pck@0.1").

    Args:
        degradation: what to do to the validation windows' frames first.
    """
    size = (model.config.input.height, model.config.input.width)
    length = model.config.input.frames
    sources: list[WindowSource] = [
        MovingStills(StillPeople(load_coco(data, "val")), length, STILL),
        ClipWindows(load_clips(data, "val"), cache, length, step=EVALUATION_STEP),
    ]
    answered = list(model.output_frames)
    full, encoder_alone = PckByGroup(), PckByGroup()
    device = next(model.parameters()).device
    for source in sources:
        for start in range(0, len(source), EVALUATION_BATCH):
            rng = np.random.default_rng(start)
            indices = range(start, min(start + EVALUATION_BATCH, len(source)))
            samples = [make_window(source.load(i, rng), size, rng, degradation=degradation) for i in indices]
            images_BTHWC = torch.from_numpy(np.stack([sample.images for sample in samples])).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                encoded = model.encode(images_BTHWC)
                heatmaps = model.temporal(encoded.features_BTCHW, encoded.heatmaps_BTKHW)
            if model.config.temporal.output == "keyframe":
                heatmaps = heatmaps[:, None]
            people = [_labelled(sample, frame) for sample in samples for frame in answered]
            full.update(_points(model, heatmaps), people)
            if encoded.heatmaps_BTKHW.shape[2] == heatmaps.shape[2]:
                encoder_alone.update(_points(model, encoded.heatmaps_BTKHW[:, answered]), people)
    return full.compute() | {f"encoder {name}": value for name, value in encoder_alone.compute().items()}


def _points(model: PoseModel, heatmaps_BFKHW: Tensor) -> np.ndarray:
    points_BFK2, _ = model.keypoints(heatmaps_BFKHW)
    return points_BFK2.flatten(0, 1).float().cpu().numpy()


def _labelled(sample: WindowSample, frame: int) -> SizedKeypoints:
    height = float(sample.box_heights[frame])
    return SizedKeypoints(sample.keypoints[frame], sample.weights[frame], height, sample.group)
