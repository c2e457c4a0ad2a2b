"""Windows of people in batches through the model, and the poses of their frames in order again.

Shapes: B windows, T frames of a window, F answered frames, K keypoints.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from posecli.geometry.crop import apply_affine, invert_affine
from posecli.nn.flip_test import FlipTested
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.reuse import SharedViews, encode_windows
from posecli.pipeline.windows import PersonWindow, Window, cut_anew, person_windows
from posecli.types import FloatArray, Frame, Poses, Tracks

# Windows that wait for a batch to fill: where few people are seen, memory must stay bounded all the same.
MAX_WAITING = 64


class Batches:
    """Takes windows, and gives the poses of the frames they answer for, in order, as soon as they are known.

    Args:
        model: answers.
        size: windows of one person that it takes at once.
        bf16: run it under bf16 autocast.
        reuse: encode each person-frame once, however many windows it is in.
    """

    def __init__(
        self, model: PoseModel | FlipTested, size: int, *, bf16: bool = False, reuse: bool = False
    ) -> None:
        self._model, self._size, self._bf16 = model, size, bf16
        self._shared = SharedViews(model.config.input.box_scale) if reuse else None
        self._waiting: deque[_Answer] = deque()
        self._batch: list[tuple[PersonWindow, _Answer]] = []

    def add(self, window: Window) -> Iterator[Poses]:
        """The next window; yields what is known then."""
        crop, cut = self._model.config.input, cut_anew if self._shared is None else self._shared
        answer = _Answer.of(window, len(self._model.config.joints))
        self._waiting.append(answer)
        for person in person_windows(window, (crop.height, crop.width), crop.box_scale, cut):
            answer.missing += 1
            self._batch.append((person, answer))
            if len(self._batch) == self._size:
                self._run()
        if len(self._waiting) > MAX_WAITING:
            self._run()
        while self._waiting and not self._waiting[0].missing:
            yield from self._waiting.popleft().poses

    def flush(self) -> Iterator[Poses]:
        """Runs what waits, full batch or not: nothing that was added is owed any more, nor remembered."""
        self._run()
        if self._shared is not None:
            self._shared.clear()
        while self._waiting:
            yield from self._waiting.popleft().poses

    @torch.inference_mode()
    def _run(self) -> None:
        if not self._batch:
            return
        people = [person for person, _ in self._batch]
        device = next(self._model.parameters()).device
        with torch.autocast(device.type, torch.bfloat16, enabled=self._bf16):
            heatmaps_BFKHW = self._heatmaps(people, device)
        heights_B = torch.tensor([person.box_height for person in people], device=device)
        points_BFK2, scores_BFK = (
            values.float().cpu().numpy() for values in self._model.keypoints(heatmaps_BFKHW, heights_B)
        )
        for (person, answer), points, scores in zip(self._batch, points_BFK2, scores_BFK, strict=True):
            answer.fill(person, points, scores)
        self._batch = []

    def _heatmaps(self, people: list[PersonWindow], device: torch.device) -> Tensor:
        """Raw, (B, F, K, H, W)."""
        if self._shared is not None:
            return self._model.answer(encode_windows(self._model, people, device))
        images_BTHWC = torch.from_numpy(np.stack([person.crops for person in people])).to(device)
        heatmaps_BFKHW: Tensor = self._model(images_BTHWC)
        return heatmaps_BFKHW


@dataclass(slots=True)
class _Answer:
    """The poses of a window's answered frames while they are being filled in."""

    poses: list[Poses]
    missing: int = 0  # persons that the model has not yet seen
    by_index: dict[int, Poses] = field(default_factory=dict)

    @classmethod
    def of(cls, window: Window, keypoints: int) -> _Answer:
        poses = [_unknown(*window.frames[position], keypoints) for position in window.answered]
        return cls(poses, 0, {p.frame_index: p for p in poses})

    def fill(self, person: PersonWindow, points_FK2: FloatArray, scores_FK: FloatArray) -> None:
        to_picture = invert_affine(person.affine)
        for frame, position, row in zip(person.frames, person.positions, person.rows, strict=True):
            self.by_index[frame].keypoints[row] = apply_affine(to_picture, points_FK2[position])
            self.by_index[frame].scores[row] = scores_FK[position]
        self.missing -= 1


def _unknown(frame: Frame, tracks: Tracks, keypoints: int) -> Poses:
    points = np.full((len(tracks), keypoints, 2), np.nan, np.float32)
    return Poses(frame.index, frame.time_s, tracks, points, points[..., 0].copy(), frame.name)
