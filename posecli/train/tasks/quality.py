"""How good a model is while it is trained: by each dataset's own metric, with boxes of the ground truth.

Shapes: B windows, F answered frames, K keypoints, H and W height and width, C colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from posecli.data.datasets import DATASETS
from posecli.data.degrade import Degradation
from posecli.data.footage import Footage
from posecli.data.windows import CameraMotion, WindowSample, WindowSource, make_window
from posecli.metrics.of_dataset import metric_of
from posecli.metrics.pck import PckByGroup, SizedKeypoints
from posecli.metrics.protocol import MEAN
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.evaluation import evaluate
from posecli.pipeline.options import Options
from posecli.pipeline.people import TruePeople
from posecli.train.recipe import DataShare
from posecli.train.tasks.sources import SYNTHETIC, Sources, WindowShape

BATCH = 8
CLIP_STEP = 10  # validation clips are labelled on every frame; a window at every tenth says as much
STILL = CameraMotion(shift=0, turn=0, zoom=0)


def validation_entries(data: Sequence[DataShare]) -> list[DataShare]:
    """The datasets of a recipe that have a validation split, each once, as a whole."""
    entries = {(entry.name, entry.split): entry for entry in data if entry.name != SYNTHETIC}
    return [DataShare(name=name, split=split) for name, split in sorted(entries)]


class Validation:
    """Evaluates models on the validation splits of a recipe's datasets, whose labels are read once.

    PoseTrack and sub-JHMDB are told in their own metrics, as `posecli eval --dataset NAME --gt-boxes` has them; clips
    and stills in PCK of the box's height (evaluate_windows).
    """

    def __init__(self, sources: Sources, data: Sequence[DataShare]) -> None:
        self._sources, self._entries = sources, validation_entries(data)
        self._sequences: dict[DataShare, list[Footage]] = {}

    def __call__(self, model: PoseModel, bf16: bool) -> dict[str, float]:
        """The figures by name; the first is the one that tells which model is the best."""
        figures: dict[str, float] = {}
        others = [entry for entry in self._entries if DATASETS[entry.name].metric == "oks"]
        for entry in self._entries:
            if entry not in others:
                figures |= self._by_own_metric(entry, model, bf16)
        if others or not figures:
            figures |= evaluate_windows(model, validation_windows(self._sources, others, model), bf16)
        return figures

    def _by_own_metric(self, entry: DataShare, model: PoseModel, bf16: bool) -> dict[str, float]:
        if entry not in self._sequences:
            self._sequences[entry] = self._sources.footage(entry, "val")
        metric = metric_of(DATASETS[entry.name])
        evaluate(self._sequences[entry], TruePeople(), model, metric, Options(bf16=bf16))
        row, columns = next(iter(metric.report().items()))
        mean = {f"{entry.name} {row}": columns[MEAN]}
        return mean | {f"{entry.name} {name}": v for name, v in columns.items() if name != MEAN}


def validation_windows(sources: Sources, data: Sequence[DataShare], model: PoseModel) -> list[WindowSource]:
    """Windows of the validation people: clips as they are, stills repeated."""
    shape = WindowShape(length=model.config.input.frames, keyframe=model.config.temporal.output == "keyframe")
    return [
        sources.windows(replace(entry, stride=CLIP_STEP), "val", shape, STILL)
        for entry in validation_entries(data)
    ]


@torch.inference_mode()
def evaluate_windows(
    model: PoseModel, sources: Sequence[WindowSource], bf16: bool, degradation: Degradation | None = None
) -> dict[str, float]:
    """PCK@0.1 and @0.2 of the box's height by group, and the encoder's own ("encoder pck@0.1") where it has the same
    joints.

    Args:
        degradation: what to do to the validation windows' frames first.
    """
    answered = list(model.output_frames)
    full, encoder_alone = PckByGroup(), PckByGroup()
    device = next(model.parameters()).device
    compares = model.config.encoder_is_comparable
    for samples in _batches(model, sources, degradation):
        images_BTHWC = torch.from_numpy(np.stack([sample.images for sample in samples])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            encoded = model.encode(images_BTHWC)
            heatmaps_BFKHW = model.answer(encoded)
        people = [_labelled(sample, frame) for sample in samples for frame in answered]
        full.update(_points(model, heatmaps_BFKHW), people)
        if compares and encoded.heatmaps_BTKHW is not None:
            encoder_alone.update(_points(model, encoded.heatmaps_BTKHW[:, answered]), people)
    alone = encoder_alone.compute() if compares else {}
    return full.compute() | {f"encoder {name}": value for name, value in alone.items()}


def _batches(
    model: PoseModel, sources: Sequence[WindowSource], degradation: Degradation | None
) -> Iterator[list[WindowSample]]:
    size, skeleton = (model.config.input.height, model.config.input.width), model.config.joints
    for source in sources:
        for start in range(0, len(source), BATCH):
            rng = np.random.default_rng(start)
            indices = range(start, min(start + BATCH, len(source)))
            yield [
                make_window(source.load(i, rng), size, rng, degradation=degradation, skeleton=skeleton)
                for i in indices
            ]


def _points(model: PoseModel, heatmaps_BFKHW: Tensor) -> np.ndarray:
    points_BFK2, _ = model.keypoints(heatmaps_BFKHW)
    return points_BFK2.flatten(0, 1).float().cpu().numpy()


def _labelled(sample: WindowSample, frame: int) -> SizedKeypoints:
    height = float(sample.box_heights[frame])
    return SizedKeypoints(sample.keypoints[frame], sample.weights[frame], height, sample.group)
