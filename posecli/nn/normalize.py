"""From pictures to network input.

Shapes: B batch, H and W height and width, C colours.
"""

from __future__ import annotations

import torch
from torch import Tensor

LITE_MEAN = (0.5, 0.5, 0.5)
LITE_STD = (0.5, 0.5, 0.5)


def normalize(
    images_BHWC: Tensor, mean: tuple[float, ...] = LITE_MEAN, std: tuple[float, ...] = LITE_STD
) -> Tensor:
    """RGB uint8 pictures to (x / 255 - mean) / std, (B, C, H, W) in channels-last memory."""
    scale_C = 1 / (255 * torch.tensor(std, device=images_BHWC.device))
    offset_C = torch.tensor(mean, device=images_BHWC.device) / torch.tensor(std, device=images_BHWC.device)
    return (images_BHWC * scale_C - offset_C).permute(0, 3, 1, 2)
