"""A feature of one crop, seen in another crop of the same picture.

The cells of a feature tile its crop, each centred over the pixels that it stands for: mirroring one mirrors the other.

Shapes: n features, C channels, H and W height and width of the feature.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def resample(features_nCHW: Tensor, affines_n23: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear; what lies outside the crop that was encoded takes the nearest cell's value.

    Args:
        features_nCHW: of the crops that were encoded.
        affines_n23: pixels of the wanted crop to pixels of the encoded one, pixel centres at integers.
        size: (height, width) of a crop, pixels.

    Returns:
        (n, C, H, W) in float32, of the wanted crops.
    """
    features_nCHW, affines_n23 = features_nCHW.float(), affines_n23.float()
    height, width = features_nCHW.shape[-2:]
    rows_H = _cell_centers(height, size[0]).to(affines_n23)
    columns_W = _cell_centers(width, size[1]).to(affines_n23)
    wanted_HW2 = torch.stack(torch.meshgrid(columns_W, rows_H, indexing="xy"), -1)
    encoded_nHW2 = wanted_HW2 @ affines_n23[:, None, :, :2].mT + affines_n23[:, None, None, :, 2]
    # Border padding by hand: the grid_sample of MPS has none before torch 2.13.
    first_2, last_2 = torch.stack([columns_W[0], rows_H[0]]), torch.stack([columns_W[-1], rows_H[-1]])
    encoded_nHW2 = torch.maximum(torch.minimum(encoded_nHW2, last_2), first_2)
    # grid_sample counts from -1 to 1, over the outer edges of the first and the last cell: those of the crop.
    grid_nHW2 = (2 * encoded_nHW2 + 1) / affines_n23.new_tensor([size[1], size[0]]) - 1
    return F.grid_sample(features_nCHW, grid_nHW2, mode="bilinear", align_corners=False)


def _cell_centers(cells: int, pixels: int) -> Tensor:
    """Where the cells along one side of a crop are centred, in its pixels."""
    return (torch.arange(cells) + 0.5) * (pixels / cells) - 0.5
