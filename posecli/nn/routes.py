"""The orders in which the scans visit the tokens of a clip: STS6D's six routes and WSTS's windows.

Every order is an index permutation over the tokens of a (T, H, W) grid, so that features never have to be
rearranged: a route's step l reads token order[l].

Legend: B windows, T frames, H and W height and width of the token grid, L = T*H*W tokens, D channels, G
routes, M windows of one clip, S tokens of one window.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, cast, get_args

import torch
from torch import Tensor

from posecli.errors import PosecliError

Route = Literal["unified", "space", "time"]
ROUTES: tuple[Route, ...] = get_args(Route)
PanoramaAxis = Literal["vertical", "horizontal"]
SpaceScan = Literal["panorama", "frame"]

# The axes of the (T, H, W) grid from the slowest to the fastest.
_PANORAMA_ORDERS: dict[tuple[PanoramaAxis, Route], tuple[int, int, int]] = {
    ("vertical", "unified"): (0, 1, 2),  # rows of the first frame, rows of the second, ...
    ("vertical", "space"): (2, 0, 1),  # the first column of every frame, the second of every frame, ...
    ("horizontal", "unified"): (1, 0, 2),  # the first row of every frame, the second of every frame, ...
    ("horizontal", "space"): (0, 2, 1),  # columns of the first frame, columns of the second, ...
}
_FRAME_COLUMNS = (0, 2, 1)
_TIME_FASTEST = (1, 2, 0)


def route_order(
    grid: tuple[int, int, int],
    route: Route,
    panorama_axis: PanoramaAxis = "vertical",
    space_scan: SpaceScan = "panorama",
) -> Tensor:
    """One forward route over a (T, H, W) grid as token indices, (L,) int64 (paper, section 3.2).

    unified and space go row by row and column by column over the panorama that stacks the frames along
    `panorama_axis`; with space_scan = "frame", space goes column by column through one frame after another,
    whatever the panorama. time visits all frames of a pixel before the next pixel.
    """
    frames, height, width = grid
    axes = _FRAME_COLUMNS if (route, space_scan) == ("space", "frame") else None
    axes = axes or (_TIME_FASTEST if route == "time" else _PANORAMA_ORDERS[panorama_axis, route])
    tokens_THW = torch.arange(frames * height * width).view(frames, height, width)
    return tokens_THW.permute(axes).reshape(-1)


@lru_cache(maxsize=32)
def route_orders(
    grid: tuple[int, int, int],
    routes: tuple[Route, ...] = ROUTES,
    panorama_axis: PanoramaAxis = "vertical",
    space_scan: SpaceScan = "panorama",
    device: torch.device | None = None,
) -> Tensor:
    """All routes of a GSM block: the forward ones, then their reverses in the same order, (G, L) int64."""
    # Outside inference mode, or a cached order could not be saved for the backward pass of a later training
    # step.
    with torch.inference_mode(False):
        forward_GL = torch.stack([route_order(grid, route, panorama_axis, space_scan) for route in routes])
        return torch.cat([forward_GL, forward_GL.flip(1)]).to(device)


@lru_cache(maxsize=32)
def window_orders(tokens: int, device: torch.device | None = None) -> Tensor:
    """Frame by frame through one window, forward and reverse, (2, S) int64 (paper, section 3.3)."""
    with torch.inference_mode(False):
        forward_S = torch.arange(tokens)
        return torch.stack([forward_S, forward_S.flip(0)]).to(device)


def merge_pairs(y_BGLD: Tensor) -> tuple[Tensor, ...]:
    """Adds each route and its reverse: G/2 tensors (B, L, D), one a route (eq. 7).

    The scans keep token order, so that the inverse transformation of eq. 7 has already happened.
    """
    return cast("tuple[Tensor, ...]", y_BGLD.unflatten(1, (2, -1)).sum(1).unbind(1))


def split_windows(x_BTHWD: Tensor, window: tuple[int, int]) -> Tensor:
    """Cuts a clip into tubes of window (height, width) over all frames, (B*M, S, D), frame by frame inside.

    Raises:
        PosecliError: the grid is not a whole number of windows.
    """
    height, width = x_BTHWD.shape[2:4]
    if height % window[0] or width % window[1]:
        raise PosecliError(
            f"temporal.window: {window[0]}x{window[1]} does not divide the {height}x{width} token grid"
        )
    x_BTyhxwD = x_BTHWD.unflatten(3, (-1, window[1])).unflatten(2, (-1, window[0]))
    return x_BTyhxwD.permute(0, 2, 4, 1, 3, 5, 6).flatten(3, 5).flatten(0, 2)


def join_windows(x_MSD: Tensor, window: tuple[int, int], grid: tuple[int, int, int]) -> Tensor:
    """The inverse of split_windows: (B, T, H, W, D) from the windows of a (T, H, W) grid."""
    frames, height, width = grid
    rows, columns = height // window[0], width // window[1]
    x_ByxThwD = x_MSD.unflatten(1, (frames, *window)).unflatten(0, (-1, rows, columns))
    return x_ByxThwD.permute(0, 3, 1, 4, 2, 5, 6).flatten(4, 5).flatten(2, 3)
