"""Clips as batches of pictures, for the layers that work frame by frame.

Legend: B windows, T frames, H and W height and width of the token grid, D channels, n = B*T pictures.
"""

from __future__ import annotations

from torch import Tensor


def to_pictures(x_BTHWD: Tensor) -> Tensor:
    """(n, D, H, W) in channels-last memory: a view where the clip is contiguous."""
    return x_BTHWD.flatten(0, 1).permute(0, 3, 1, 2)


def to_clip(x_nDHW: Tensor, frames: int) -> Tensor:
    """The inverse of to_pictures: (B, T, H, W, D)."""
    return x_nDHW.permute(0, 2, 3, 1).unflatten(0, (-1, frames))
