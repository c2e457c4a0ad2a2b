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
from posecli.nn.flip_test import mean_of_looks
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.pipeline.windows import PersonWindow, Slide, Tracked, Window, person_windows, single_frames
from posecli.types import FloatArray

ENCODER, GSM, WHOLE, THUNDER = "encoder", "gsm", "whole", "thunder"
FLIPPED = "flipped"  # the whole model and its mirrored look, as `posecli estimate` answers
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
        whole = (GSM, WHOLE, FLIPPED)
        return (ENCODER, *whole) if self.model.config.encoder_is_comparable else whole

    def locate(self, stream: Iterable[Tracked], slide: Slide) -> dict[Place, FloatArray]:
        """(M, K, 2) pixels of the picture, of everyone on every frame.

        Args:
            stream: frames with the boxes of their people; ids are unique within a frame.
            slide: how windows are laid over them, as in `estimate`.
        """
        config, is_still = self.model.config.input, slide is single_frames
        found: dict[Place, FloatArray] = {}
        waiting: list[tuple[PersonWindow, Window]] = []
        for window in slide(stream, config.frames, self.model.output_frames):
            for person in person_windows(window, (config.height, config.width), config.box_scale):
                waiting.append((person, window))
                if len(waiting) == BATCH:
                    found |= self._answer(waiting, is_still)
                    waiting = []
        return found | (self._answer(waiting, is_still) if waiting else {})

    def _answer(self, people: list[tuple[PersonWindow, Window]], is_still: bool) -> dict[Place, FloatArray]:
        crops_BTHWC = torch.from_numpy(np.stack([person.crops for person, _ in people]))
        answer: dict[Place, FloatArray] = {}
        for (person, window), points_MFK2 in zip(people, self._points(crops_BTHWC, is_still), strict=True):
            in_picture = apply_affine(invert_affine(person.affine), points_MFK2)
            tracks = {frame.index: tracks for frame, tracks in window.frames}
            for frame, position, row in zip(person.frames, person.positions, person.rows, strict=True):
                answer[frame, int(tracks[frame].ids[row])] = in_picture[:, position]
        return answer

    @torch.inference_mode()
    def _points(self, images_BTHWC: Tensor, is_still: bool) -> FloatArray:
        """(B, M, F, K, 2) crop pixels, in the order of `methods`."""
        model, answered = self.model, list(self.model.output_frames)
        encode = encode_still if is_still else PoseModel.encode
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            encoded = encode(model, images_BTHWC)
            whole, gsm = answer_in_parts(model, encoded)
            of_mirrored = model.answer(encode(model, images_BTHWC.flip(3)))
            if self.gsm_only is not None:
                gsm = self.gsm_only(images_BTHWC)
        heatmaps = {GSM: gsm, WHOLE: whole, FLIPPED: mean_of_looks(whole, of_mirrored, model.config.joints)}
        if encoded.heatmaps_BTKHW is not None:
            heatmaps[ENCODER] = encoded.heatmaps_BTKHW[:, answered]
        points = [model.keypoints(heatmaps[method])[0] for method in self.methods]
        return torch.stack(points, 1).float().numpy()


def encode_still(model: PoseModel, images_BTHWC: Tensor) -> EncodedWindows:
    """A window that is one picture, repeated: the encoder needs to see it once."""
    once = model.encode(images_BTHWC[:, :1])
    repeated = (-1, images_BTHWC.shape[1], -1, -1, -1)
    heatmaps = once.heatmaps_BTKHW
    return EncodedWindows(
        once.features_BTCHW.expand(repeated), None if heatmaps is None else heatmaps.expand(repeated)
    )


def answer_in_parts(model: PoseModel, encoded: EncodedWindows) -> tuple[Tensor, Tensor]:
    """(whole, without LRM): the heatmaps of the model, and of its head right after its GSM blocks."""
    temporal, after_gsm = model.temporal, Given()
    last = [temporal.stem, *temporal.gsm][-1]
    hook = last.register_forward_hook(lambda block, inputs, output: after_gsm.keep(output))
    try:
        whole = model.answer(encoded)
    finally:
        hook.remove()
    with swapped(temporal, stem=after_gsm, gsm=nn.ModuleList(), lrm=nn.ModuleList()):
        return whole, model.answer(encoded)


class Given(nn.Module):
    """Says what it was given, whatever comes in."""

    def keep(self, output: Tensor) -> None:
        self.output = output

    def forward(self, _: Tensor) -> Tensor:
        return self.output


@contextmanager
def swapped(module: nn.Module, **parts: nn.Module) -> Iterator[None]:
    """A network with other parts in the place of its own, for a while."""
    own = {name: getattr(module, name) for name in parts}
    try:
        for name, part in parts.items():
            setattr(module, name, part)
        yield
    finally:
        for name, part in own.items():
            setattr(module, name, part)
