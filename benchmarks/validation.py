"""What a model says of labelled people, keypoint by keypoint, for the benchmarks that compare choices.

Shapes: B windows, T frames, F answered frames, K keypoints, H and W height and width, C colours, N keypoints in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posecli.data.crops import StillPeople
from posecli.data.degrade import Degradation
from posecli.data.people import load_coco
from posecli.data.windows import MovingStills, RawWindow, WindowSource, make_window
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.train.recipe import DataShare
from posecli.train.tasks.quality import CLIP_STEP, STILL
from posecli.train.tasks.sources import MIN_KEYPOINTS, Sources, WindowShape
from posecli.types import FloatArray, Image

BATCH = 8
HUMAN_GROUPS = ("cocosub", "lspet")  # of the corpus: joints labelled by people
NOTHING = {"motion_blur": 0.0, "occlusion": 0.0, "darkness": 0.0, "compression": 0.0}
DEGRADATIONS = {
    "blurred": Degradation(**(NOTHING | {"motion_blur": 1.0})),
    "occluded": Degradation(**(NOTHING | {"occlusion": 1.0})),
    "dark": Degradation(**(NOTHING | {"darkness": 1.0})),
    "compressed": Degradation(**(NOTHING | {"compression": 1.0})),
}
FACE_JOINTS = 5  # the first of COCO's; LSPET's are a teacher's


@dataclass(frozen=True)
class Place:
    """Everyone in one picture or one clip: what must not lie on both sides of a split."""

    name: str
    windows: WindowSource
    still: bool  # a window is one frame repeated, and only the middle one is told of: the others say the same


@dataclass(frozen=True)
class Predictions:
    """Keypoints one by one (N)."""

    place: NDArray[np.str_]
    group: NDArray[np.str_]
    joint: NDArray[np.int64]
    score: FloatArray
    distance: FloatArray  # from the label, in box heights; NaN: unlabelled
    outside: NDArray[np.bool_]  # the label lies outside the crop
    height: FloatArray  # of the person's box, crop pixels

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, keep: NDArray[np.bool_]) -> Predictions:
        return Predictions(*(getattr(self, field.name)[keep] for field in fields(self)))

    @property
    def labelled(self) -> Predictions:
        return self[~np.isnan(self.distance)]

    @property
    def by_people(self) -> NDArray[np.bool_]:
        """Which keypoints a person labelled."""
        face = (self.group == "lspet") & (self.joint < FACE_JOINTS)
        return np.isin(self.group, HUMAN_GROUPS) & ~face

    def repeated(self, stills: set[str], model: PoseModel | FlipTested) -> NDArray[np.bool_]:
        """Which of stills' keypoints are of other frames than the middle one; in the order of `compare`."""
        frames = len(model.output_frames)
        frame = np.arange(len(self)) // len(model.config.joints) % frames
        return np.isin(self.place, sorted(stills)) & (frame != frames // 2)

    @classmethod
    def concatenate(cls, parts: Sequence[Predictions]) -> Predictions:
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))


def places(
    data: Path, cache: Path, model: PoseModel | FlipTested, split: str = "val", step: int = CLIP_STEP
) -> list[Place]:
    """Pictures, whose windows are one frame repeated, and clips, with a window at every step-th label of a track."""
    length = model.config.input.frames
    sources = Sources(data, cache, model.config.joints, "benchmark")
    least = MIN_KEYPOINTS if split == "train" else 1
    stills = [
        Place(picture.path.name, MovingStills(StillPeople([picture], least), length, STILL), still=True)
        for picture in load_coco(data, split)
    ]
    entry = DataShare(name="clips", stride=step)
    shape = WindowShape(length=length, keyframe=model.config.temporal.output == "keyframe")
    clips = [
        Place(sequence.name, sources.sequence_windows(entry, [sequence], shape), still=False)
        for sequence in sources.sequences(entry, split)
    ]
    return [place for place in [*stills, *clips] if len(place.windows)]


def load_windows(chosen: Sequence[Place]) -> Iterator[list[tuple[str, RawWindow]]]:
    """Batches of windows with the names of their places."""
    every = (
        (place.name, place.windows.load(index, np.random.default_rng(index)))
        for place in chosen
        for index in range(len(place.windows))
    )
    while batch := list(islice(every, BATCH)):
        yield batch


def cut_in_half(raw: RawWindow) -> RawWindow:
    """ "cut": the same person with the picture ending at half of the box; labels stay, many of them outside."""
    end = max(1, round(float(raw.box[1] + raw.box[3]) / 2))
    box = raw.box.copy()
    box[3] = end
    return replace(raw, images=[image[:end] for image in raw.images], box=box)


@dataclass(frozen=True)
class Crops:
    """A batch of windows as the network sees them, and their labels."""

    places: list[str]
    groups: list[str]
    images_BTHWC: Image
    keypoints_BTK2: FloatArray  # crop pixels
    labelled_BTK: NDArray[np.bool_]  # whether inside the crop or not
    inside_BTK: NDArray[np.bool_]
    heights_B: FloatArray  # of the people's boxes, crop pixels


def cut_out(
    model: PoseModel | FlipTested,
    batch: Sequence[tuple[str, RawWindow]],
    seed: int,
    degradation: Degradation | None = None,
) -> Crops:
    """Args: seed: of what the degradation draws."""
    size, rng = (model.config.input.height, model.config.input.width), np.random.default_rng(seed)
    samples = [
        make_window(raw, size, rng, degradation=degradation, skeleton=model.config.joints) for _, raw in batch
    ]
    return Crops(
        [name for name, _ in batch],
        [sample.group for sample in samples],
        np.stack([sample.images for sample in samples]),
        np.stack([sample.keypoints for sample in samples]),
        np.stack([raw.weights > 0 for _, raw in batch]),
        np.stack([sample.weights > 0 for sample in samples]),
        np.stack([sample.box_heights[0] for sample in samples]),
    )


@torch.inference_mode()
def answer(model: PoseModel | FlipTested, crops: Crops, bf16: bool) -> torch.Tensor:
    """Raw heatmaps (B, F, K, H, W)."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        return model(torch.from_numpy(crops.images_BTHWC).to(device))


def compare(
    crops: Crops, frames: Sequence[int], points_BFK2: FloatArray, scores_BFK: FloatArray
) -> Predictions:
    """Keypoints in crop pixels against their labels."""
    chosen = list(frames)
    truth, labelled = crops.keypoints_BTK2[:, chosen], crops.labelled_BTK[:, chosen]
    distance = np.linalg.norm(points_BFK2 - truth, axis=-1) / crops.heights_B[:, None, None]
    shape = distance.shape
    joint = np.broadcast_to(np.arange(shape[2]), shape)

    def per_keypoint(values: Sequence[str]) -> NDArray[np.str_]:
        return np.repeat(np.array(values), shape[1] * shape[2])

    return Predictions(
        per_keypoint(crops.places),
        per_keypoint(crops.groups),
        joint.ravel(),
        scores_BFK.ravel().astype(np.float32),
        np.where(labelled, distance, np.nan).ravel().astype(np.float32),
        (labelled & ~crops.inside_BTK[:, chosen]).ravel(),
        np.repeat(crops.heights_B, shape[1] * shape[2]),
    )


def predict(
    model: PoseModel | FlipTested, chosen: Sequence[Place], bf16: bool, conditions: Sequence[str] = ("clean",)
) -> Predictions:
    """What the model says of everyone.

    Args:
        conditions: what befalls the windows: batch by batch the next of them, round and round.
    """
    parts = []
    for number, (batch, condition) in enumerate(zip(load_windows(chosen), cycle(conditions), strict=False)):
        if condition == "cut":
            batch = [(name, cut_in_half(raw)) for name, raw in batch]
        crops = cut_out(model, batch, number, DEGRADATIONS.get(condition))
        heights_B = torch.from_numpy(crops.heights_B)
        answered = model.keypoints(answer(model, crops, bf16), heights_B)
        points, scores = (values.float().cpu().numpy() for values in answered)
        parts.append(compare(crops, model.output_frames, points, scores))
    said = Predictions.concatenate(parts)
    return said[~said.repeated({place.name for place in chosen if place.still}, model)]
