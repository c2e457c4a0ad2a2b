"""The flip test: what a model says of a window and of its mirror image, averaged.

Shapes: B windows, T frames, F answered frames, K keypoints, H and W height and width, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posecli.nn.config import ModelConfig
from posecli.nn.pose_model import EncodedWindows, PoseModel
from posecli.nn.side_by_side import both
from posecli.skeletons import Skeleton


class FlipTested(nn.Module):
    """A PoseModel that looks twice, and answers with the mean of both raw heatmaps.

    Crop and heatmap share their first and last centres (UDP), so that mirroring one mirrors the other exactly: the
    mirrored heatmaps are not shifted by a cell, as older codebases do it.
    """

    def __init__(self, model: PoseModel) -> None:
        super().__init__()
        self.model = model
        self.config: ModelConfig = model.config
        self.output_frames = model.output_frames

    def forward(self, images_BTHWC: Tensor) -> Tensor:
        """Raw heatmaps (B, F, K, H, W) of output_frames."""
        return mean_of_looks(*both(self.model, images_BTHWC, images_BTHWC.flip(3)), self.config.joints)

    def encode(self, images_BTHWC: Tensor) -> EncodedWindows:
        """Both looks as one: the channels of the mirrored crops, turned back, come after those of the crops."""
        straight, flipped = both(self.model.encode, images_BTHWC, images_BTHWC.flip(3))
        turned_back = flipped.mirrored()
        features_BTCHW = torch.cat([straight.features_BTCHW, turned_back.features_BTCHW], 2)
        if straight.heatmaps_BTKHW is None or turned_back.heatmaps_BTKHW is None:
            return EncodedWindows(features_BTCHW, None)
        return EncodedWindows(
            features_BTCHW, torch.cat([straight.heatmaps_BTKHW, turned_back.heatmaps_BTKHW], 2)
        )

    def answer(self, encoded: EncodedWindows) -> Tensor:
        """Raw heatmaps (B, F, K, H, W) of output_frames, from what encode said."""
        features, heatmaps = encoded
        looks = [None, None] if heatmaps is None else heatmaps.chunk(2, 2)
        straight, turned_back = map(EncodedWindows, features.chunk(2, 2), looks)
        return mean_of_looks(*both(self.model.answer, straight, turned_back.mirrored()), self.config.joints)

    def keypoints(self, heatmaps_BFKHW: Tensor, box_heights_B: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As PoseModel.keypoints."""
        return self.model.keypoints(heatmaps_BFKHW, box_heights_B)


def mean_of_looks(heatmaps_BFKHW: Tensor, of_mirrored_BFKHW: Tensor, joints: Skeleton) -> Tensor:
    """Heatmaps (B, F, K, H, W) of both looks, those of the mirrored crops turned back."""
    return (heatmaps_BFKHW + of_mirrored_BFKHW.flip(-1)[:, :, joints.flip]) / 2
