"""The whole video model: an encoder over single frames, GLSMamba over windows of them.

Shapes: B windows, T frames, C channels, K keypoints, H and W height and width, F frames that get heatmaps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posecli.geometry.heatmaps import SCORE_RADIUS, calibrate, cells_to_crop, decode
from posecli.nn.config import ModelConfig
from posecli.nn.efficientnet import fold_norms
from posecli.nn.glsmamba import GLSMamba
from posecli.nn.normalize import normalize
from posecli.nn.pose_encoder import LitePoseEncoder
from posecli.nn.vitpose import VITPOSE_SIZES, ViTPose
from posecli.skeletons import SKELETONS


class EncodedWindows(NamedTuple):
    """What the encoder makes of windows of crops."""

    features_BTCHW: Tensor
    heatmaps_BTKHW: Tensor | None  # the encoder's own, of config.encoder.skeleton; None: not kept in a cache

    @property
    def device(self) -> torch.device:
        return self.features_BTCHW.device

    def mirrored(self) -> EncodedWindows:
        """Left and right of the pictures exchanged; joints keep their names."""
        heatmaps = self.heatmaps_BTKHW
        return EncodedWindows(self.features_BTCHW.flip(-1), None if heatmaps is None else heatmaps.flip(-1))


class PoseModel(nn.Module):
    """Windows of crops to heatmaps; the encoder is frozen where its configuration says so."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = build_encoder(config)
        self.temporal = GLSMamba(config.temporal)
        if config.encoder.frozen:
            self.encoder.requires_grad_(False)

    @property
    def output_frames(self) -> tuple[int, ...]:
        """Which frames of a window get heatmaps."""
        frames = self.config.input.frames
        return tuple(range(frames)) if self.config.temporal.output == "every_frame" else (frames // 2,)

    def train(self, mode: bool = True) -> PoseModel:
        """A frozen encoder stays in eval mode: its batch norms must not move."""
        super().train(mode)
        if self.config.encoder.frozen:
            self.encoder.eval()
        return self

    def encode(self, images_BTHWC: Tensor) -> EncodedWindows:
        """images_BTHWC: uint8 RGB crops."""
        crop = self.config.input
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.encoder.frozen):
            encoded = self.encoder(normalize(images_BTHWC.flatten(0, 1), crop.mean, crop.std))
        features = (
            encoded.backbone_BDPQ if self.config.encoder.feature == "backbone" else encoded.features_BCHW
        )
        windows = images_BTHWC.shape[:2]
        return EncodedWindows(features.unflatten(0, windows), encoded.heatmaps_BKHW.unflatten(0, windows))

    def forward(self, images_BTHWC: Tensor) -> Tensor:
        """Raw heatmaps (B, F, K, H, W) of output_frames."""
        return self.answer(self.encode(images_BTHWC))

    def answer(self, encoded: EncodedWindows) -> Tensor:
        """Raw heatmaps (B, F, K, H, W) of output_frames, from what the encoder said."""
        heatmaps = self.temporal(encoded.features_BTCHW, encoded.heatmaps_BTKHW)
        return heatmaps if self.config.temporal.output == "every_frame" else heatmaps[:, None]

    def keypoints(self, heatmaps_BFKHW: Tensor, box_heights_B: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Heatmaps to (B, F, K, 2) crop pixels and (B, F, K) scores, calibrated where the configuration says how.

        Args:
            box_heights_B: of the people, crop pixels. A score is about a tenth of it; None: of boxes that are not wider
                than the crop.
        """
        heatmap, crop = self.config.heatmap, self.config.input
        windows = heatmaps_BFKHW.shape[:2]
        radius = (
            None if box_heights_B is None else self._score_radius(box_heights_B).repeat_interleave(windows[1])
        )
        cells, scores = decode(heatmaps_BFKHW.flatten(0, 1), heatmap.decode, heatmap.kind, radius)
        if heatmap.score_slope is not None and heatmap.score_offset is not None:
            slope_K, offset_K = map(scores.new_tensor, (heatmap.score_slope, heatmap.score_offset))
            scores = calibrate(scores, slope_K, offset_K)
        pixels = cells_to_crop(cells, (heatmap.height, heatmap.width), (crop.height, crop.width))
        return pixels.unflatten(0, windows), scores.unflatten(0, windows)

    def _score_radius(self, box_heights_B: Tensor) -> Tensor:
        """SCORE_RADIUS for boxes that are not wider than the crop, less for those that are: by their heights."""
        crop = self.config.input
        tallest = (crop.height - 1) / crop.box_scale
        return SCORE_RADIUS * (box_heights_B / tallest).clamp(0, 1)

    def optimize_for_inference(self) -> PoseModel:
        """Eval mode, norms folded into convolutions, channels last. Not for training after that."""
        self.eval()
        fold_norms(self.encoder)
        self.encoder.to(memory_format=torch.channels_last)
        return self.requires_grad_(False)


def build_encoder(config: ModelConfig) -> nn.Module:
    """The encoder of a configuration, with random weights."""
    joints = len(SKELETONS[config.encoder.skeleton])
    if config.encoder.kind == "efficientnet-lite0":
        return LitePoseEncoder(LitePoseEncoder.Config(num_keypoints=joints))
    assert config.encoder.size is not None
    size = (config.input.height, config.input.width)
    return ViTPose(replace(VITPOSE_SIZES[config.encoder.size.upper()], num_keypoints=joints, image_size=size))
