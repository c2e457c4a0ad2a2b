"""The embedded person detector: EfficientNet-Lite0, a small pyramid, one level at 1/8, no anchors.

Every cell near a person's centre predicts the distances to the box's four sides and how well that box fits (Li et al.,
"Generalized Focal Loss", NeurIPS 2020, for the quality as the score; Tian et al., FCOS, ICCV 2019, for the distances).

Shapes: B batch, C channels, H and W height and width in cells, N detections of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posecli.nn.depthwise import DepthwiseConv2d
from posecli.nn.efficientnet import OUTPUT_CHANNELS, ConvNorm, EfficientNetLite0, pointwise
from posecli.nn.pyramid import TopDown

STRIDE = 8
# A raw distance of 0 means this many pixels: the middle of what people's boxes need, on a logarithmic scale.
UNIT_DISTANCE = 48.0
# The score every cell starts from, so that the first steps are not spent on unlearning the background.
PRIOR_SCORE = 0.01


class Dense(NamedTuple):
    """A prediction for every cell."""

    logits_BHW: Tensor  # of the score
    boxes_BHW4: Tensor  # x0, y0, x1, y1 in input pixels


class PersonDetector(nn.Module):
    """Boxes of people; see decode."""

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Config:
        channels: int = 80
        max_detections: int = 100
        min_score: float = 0.01

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config
        channels = config.channels
        self.backbone = EfficientNetLite0()
        self.pyramid = TopDown(OUTPUT_CHANNELS[1:], channels)
        self.tower = nn.Sequential(*(_separable(channels) for _ in range(2)))
        self.score = nn.Conv2d(channels, 1, 3, padding=1)
        self.distances = nn.Conv2d(channels, 4, 3, padding=1)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.constant_(self.score.bias, float(torch.logit(torch.tensor(PRIOR_SCORE))))  # type: ignore[arg-type]
        nn.init.normal_(self.distances.weight, std=0.01)
        nn.init.zeros_(self.distances.bias)  # type: ignore[arg-type]

    def forward(self, image_BCHW: Tensor) -> Dense:
        """image_BCHW: normalised pictures, height and width multiples of 32."""
        _, *coarse = self.backbone(image_BCHW)
        features_BCHW = self.tower(self.pyramid(coarse))
        distances_BHW4 = (
            self.distances(features_BCHW).float().clamp(-6, 3).exp().permute(0, 2, 3, 1) * UNIT_DISTANCE
        )
        centers_HW2 = cell_centers(distances_BHW4.shape[1], distances_BHW4.shape[2], distances_BHW4.device)
        low, high = centers_HW2 - distances_BHW4[..., :2], centers_HW2 + distances_BHW4[..., 2:]
        return Dense(self.score(features_BCHW).float()[:, 0], torch.cat([low, high], -1))

    def decode(self, image_BCHW: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For each picture, boxes (N, 4) in input pixels and scores (N,), best first; not yet suppressed."""
        dense = self(image_BCHW)
        scores_BM = dense.logits_BHW.sigmoid().flatten(1)
        boxes_BM4 = dense.boxes_BHW4.flatten(1, 2)
        scores_BN, best_BN = scores_BM.topk(min(self._config.max_detections * 4, scores_BM.shape[1]))
        results = []
        for scores_N, best_N, boxes_M4 in zip(scores_BN, best_BN, boxes_BM4, strict=True):
            keep = scores_N >= self._config.min_score
            results.append((boxes_M4[best_N[keep]], scores_N[keep]))
        return results


def cell_centers(height: int, width: int, device: torch.device) -> Tensor:
    """(H, W, 2) x, y of the cells' centres in input pixels."""
    rows = torch.arange(height, device=device, dtype=torch.float32) * STRIDE
    columns = torch.arange(width, device=device, dtype=torch.float32) * STRIDE
    return torch.stack([columns.expand(height, width), rows[:, None].expand(height, width)], -1)


def _separable(channels: int) -> nn.Module:
    return nn.Sequential(
        ConvNorm(DepthwiseConv2d(channels, 5), linear=True), ConvNorm(pointwise(channels, channels))
    )
