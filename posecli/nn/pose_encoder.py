"""The embedded pose encoder: EfficientNet-Lite0, a small pyramid, and heatmaps at a quarter of the crop's size.

It stands where ViTPose stands in the paper: trained on stills, then frozen; GLSMamba reads its features.

Shapes: B batch, C channels, K keypoints, H and W height and width of the crop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from posecli.nn.efficientnet import OUTPUT_CHANNELS, ConvNorm, EfficientNetLite0, pointwise
from posecli.nn.pyramid import TopDown


class Encoded(NamedTuple):
    """What an encoder gives for a batch of crops."""

    features_BCHW: Tensor
    heatmaps_BKHW: Tensor


class LitePoseEncoder(nn.Module):
    """Features at 1/8 of the crop for GLSMamba, and the encoder's own heatmaps (logits) at 1/4."""

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Config:
        num_keypoints: int = 17
        channels: int = 64  # of the features at 1/8
        fine_channels: int = 32  # of the last feature before the heatmaps, at 1/4

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.backbone = EfficientNetLite0()
        self.pyramid = TopDown(OUTPUT_CHANNELS[1:], config.channels)
        self.lateral = ConvNorm(pointwise(OUTPUT_CHANNELS[0], config.fine_channels), linear=True)
        self.reduce = ConvNorm(pointwise(config.channels, config.fine_channels), linear=True)
        self.smooth = ConvNorm(
            nn.Conv2d(config.fine_channels, config.fine_channels, 3, padding=1, bias=False)
        )
        self.heatmaps = nn.Conv2d(config.fine_channels, config.num_keypoints, 1)

    def forward(self, image_BCHW: Tensor) -> Encoded:
        """image_BCHW: normalised crops, H and W multiples of 32."""
        fine_BCHW, *coarse = self.backbone(image_BCHW)
        features_BCHW = self.pyramid(coarse)
        upsampled_BCHW = F.interpolate(self.reduce(features_BCHW), size=fine_BCHW.shape[-2:], mode="nearest")
        merged_BCHW = self.smooth(self.lateral(fine_BCHW) + upsampled_BCHW)
        return Encoded(features_BCHW, self.heatmaps(merged_BCHW))
