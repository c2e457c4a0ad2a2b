"""The model and its parts, looking at people whose boxes are known.

Shapes: B windows, T frames, F answered frames, K keypoints, M methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from posecli.geometry.crop import apply_affine, invert_affine
from posecli.nn.pose_model import PoseModel
from posecli.pipeline.windows import PersonWindow, Slide, Tracked, person_windows
from posecli.types import FloatArray

ENCODER, GSM, WHOLE, THUNDER = "encoder", "gsm", "whole", "thunder"
BATCH = 8  # windows
Place = tuple[int, int]  # frame, track id


@dataclass(frozen=True, slots=True)
class Networks:
    """A model, its encoder alone, and what it says without its LRM blocks.

    Args:
        model: the whole.
        gsm_only: a model trained without LRM; None: the whole one with its LRM blocks left out.
        bf16: run under bf16 autocast.
    """

    model: PoseModel
    gsm_only: PoseModel | None
    bf16: bool

    @property
    def methods(self) -> tuple[str, ...]:
        return (ENCODER, GSM, WHOLE) if self.model.config.encoder_is_comparable else (GSM, WHOLE)

    def locate(self, stream: Iterable[Tracked], slide: Slide) -> dict[Place, FloatArray]:
        """(M, K, 2) pixels of the picture, of everyone on every frame.

        Args:
            stream: frames with the boxes of their people; ids are unique within a frame.
            slide: how windows are laid over them, as in `estimate`.
        """
        config = self.model.config.input
        found: dict[Place, FloatArray] = {}
        ids: list[dict[Place, int]] = []
        waiting: list[PersonWindow] = []
        for window in slide(stream, config.frames, self.model.output_frames):
            of_rows = {
                (window.frames[position][0].index, row): int(track_id)
                for position in window.answered
                for row, track_id in enumerate(window.frames[position][1].ids)
            }
            for person in person_windows(window, (config.height, config.width), config.box_scale):
                waiting.append(person)
                ids.append(of_rows)
                if len(waiting) == BATCH:
                    found |= self._answer(waiting, ids)
                    waiting, ids = [], []
        return found | (self._answer(waiting, ids) if waiting else {})

    def _answer(self, people: list[PersonWindow], ids: list[dict[Place, int]]) -> dict[Place, FloatArray]:
        points_BMFK2 = self._points(torch.from_numpy(np.stack([person.crops for person in people])))
        answer: dict[Place, FloatArray] = {}
        for person, of_rows, points_MFK2 in zip(people, ids, points_BMFK2, strict=True):
            in_picture = apply_affine(invert_affine(person.affine), points_MFK2)
            for frame, position, row in zip(person.frames, person.positions, person.rows, strict=True):
                answer[frame, of_rows[frame, row]] = in_picture[:, position]
        return answer

    @torch.inference_mode()
    def _points(self, images_BTHWC: Tensor) -> FloatArray:
        """(B, M, F, K, 2) crop pixels, in the order of `methods`."""
        model, answered = self.model, list(self.model.output_frames)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            encoded = model.encode(images_BTHWC)
            if self.gsm_only is not None:
                without_lrm = self.gsm_only(images_BTHWC)
            else:
                with lrm_left_out(model):
                    without_lrm = model.answer(encoded)
            heatmaps = {GSM: without_lrm, WHOLE: model.answer(encoded)}
        if encoded.heatmaps_BTKHW is not None:
            heatmaps[ENCODER] = encoded.heatmaps_BTKHW[:, answered]
        points = [model.keypoints(heatmaps[method])[0] for method in self.methods]
        return torch.stack(points, 1).float().numpy()


@contextmanager
def lrm_left_out(model: PoseModel) -> Iterator[None]:
    """The model without its LRM blocks, for a while."""
    blocks, model.temporal.lrm = model.temporal.lrm, nn.ModuleList()
    try:
        yield
    finally:
        model.temporal.lrm = blocks
