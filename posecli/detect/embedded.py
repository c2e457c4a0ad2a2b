"""The person detector inside posecli: the network of posecli.nn.detector between a picture and its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from posecli.detect.letterbox import Letterbox
from posecli.nn.detector import PersonDetector
from posecli.nn.efficientnet import fold_norms
from posecli.nn.normalize import LITE_MEAN, LITE_STD, normalize
from posecli.types import Boxes, FloatArray, Image, IntArray
from posecli.weights.files import sha256_of
from posecli.weights.locate import models_dir
from posecli.weights.models import load_into

# Shape suffixes: B pictures, C channels, H height, W width, N boxes.

NMS_IOU = 0.45  # docs/tracking.md has the measurement


class PersonNetwork(Protocol):
    """All that is asked of the network."""

    def decode(self, image_BCHW: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For each picture of a normalised batch: corners (N, 4) in input pixels, and scores (N,)."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network was trained to see."""

    longer_side: int  # pixels
    stride: int  # both sides of the input are multiples of it
    mean: tuple[float, ...]  # RGB, 0..1
    std: tuple[float, ...]


EMBEDDED_INPUT = InputSpec(448, 32, LITE_MEAN, LITE_STD)
EMBEDDED_WEIGHTS = "detector.safetensors"  # in the models folder


@dataclass(slots=True)
class EmbeddedDetector:
    """Letterbox, normalise, run, map back, drop weak boxes and doubles."""

    network: PersonNetwork
    input_spec: InputSpec
    device: torch.device | str
    threshold: float
    weights: dict[str, Any] = field(default_factory=dict)  # what the provenance tells of them
    bf16: bool = False  # run the network under bf16 autocast
    name: str = "embedded"

    @classmethod
    def load(cls, *, device: torch.device | str, threshold: float, bf16: bool = False) -> Self:
        """With the weights that posecli comes with.

        Raises:
            PosecliError: they are missing or damaged.
        """
        path = models_dir() / EMBEDDED_WEIGHTS
        weights = {"weights": path.name, "sha256": sha256_of(path)}
        return cls(_load_network(path).to(device), EMBEDDED_INPUT, device, threshold, weights, bf16)

    def detect(self, images: Sequence[Image]) -> list[Boxes]:
        spec = self.input_spec
        fits = [Letterbox.fit(image.shape[:2], spec.longer_side, spec.stride) for image in images]
        found: list[Boxes] = [Boxes.empty()] * len(images)
        # Pictures of one padded size run together: a box then never depends on a neighbour's size.
        for size in dict.fromkeys(fit.padded for fit in fits):
            members = [i for i, fit in enumerate(fits) if fit.padded == size]
            outputs = self._run(np.stack([fits[i].apply(images[i]) for i in members]))
            for i, (xyxy, scores) in zip(members, outputs, strict=True):
                found[i] = self._to_boxes(xyxy, scores, fits[i])
        return found

    def provenance(self) -> dict[str, Any]:
        return {"name": self.name, "threshold": self.threshold} | self.weights

    @torch.inference_mode()
    def _run(self, image_BHWC: np.ndarray) -> list[tuple[Tensor, Tensor]]:
        on_device_BHWC = torch.from_numpy(image_BHWC).to(self.device)
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.bf16):
            outputs = self.network.decode(
                normalize(on_device_BHWC, self.input_spec.mean, self.input_spec.std)
            )
        return [(xyxy.float().cpu(), scores.float().cpu()) for xyxy, scores in outputs]

    def _to_boxes(self, xyxy: Tensor, scores: Tensor, fit: Letterbox) -> Boxes:
        strong = scores >= self.threshold
        xyxy, scores = xyxy[strong], scores[strong]
        keep = _suppress(xyxy.numpy(), scores.numpy())
        corners = fit.to_picture(xyxy[keep].numpy())
        has_area = (corners[:, 2:] > corners[:, :2]).all(axis=1)  # false for a box that lies in the padding
        return Boxes(corners, scores[keep].numpy())[has_area]


def _suppress(xyxy: FloatArray, scores: FloatArray) -> IntArray:
    """Which boxes stay, best score first. OpenCV's: importing torchvision would double the time to start."""
    import cv2

    xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    return np.asarray(cv2.dnn.NMSBoxes(xywh.tolist(), scores.tolist(), 0.0, NMS_IOU), np.int64).reshape(-1)


def _load_network(path: Path) -> PersonDetector:
    network = PersonDetector(PersonDetector.Config())
    load_into(network, path, "the embedded detector")
    network.eval()
    fold_norms(network)
    return network.to(memory_format=torch.channels_last)
