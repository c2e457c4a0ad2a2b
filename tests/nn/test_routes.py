"""Routes against orders written by hand on two frames of two rows and three columns:

frame 0:  0  1  2      frame 1:  6  7  8
          3  4  5                9 10 11
"""

import itertools

import pytest
import torch

from posecli.errors import PosecliError
from posecli.nn.routes import (
    ROUTES,
    join_windows,
    merge_pairs,
    route_order,
    route_orders,
    split_windows,
    window_orders,
)

GRID = (2, 2, 3)


@pytest.mark.parametrize(
    ("route", "panorama_axis", "space_scan", "expected"),
    [
        # Rows of the first frame, then of the second.
        ("unified", "vertical", "panorama", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        # Frames side by side: a row runs through both.
        ("unified", "horizontal", "panorama", [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]),
        # A column of stacked frames runs through both.
        ("space", "vertical", "panorama", [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]),
        ("space", "horizontal", "panorama", [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]),
        # Each frame's own columns, whatever the panorama.
        ("space", "vertical", "frame", [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]),
        ("space", "horizontal", "frame", [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]),
        # Time fastest, pixel by pixel.
        ("time", "vertical", "panorama", [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]),
        ("time", "horizontal", "frame", [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]),
    ],
)
def test_order_of_a_route(route, panorama_axis, space_scan, expected):
    assert route_order(GRID, route, panorama_axis, space_scan).tolist() == expected


def test_the_second_half_of_the_routes_are_the_reverses_of_the_first():
    orders = route_orders(GRID, ("space", "time"))
    assert orders.tolist() == [
        [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11],
        [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11],
        [11, 8, 5, 2, 10, 7, 4, 1, 9, 6, 3, 0],
        [11, 5, 10, 4, 9, 3, 8, 2, 7, 1, 6, 0],
    ]


@pytest.mark.parametrize(
    ("axis", "space"), itertools.product(["vertical", "horizontal"], ["panorama", "frame"])
)
def test_every_route_visits_every_token_once(axis, space):
    orders = route_orders((3, 4, 5), ROUTES, axis, space)
    assert orders.shape == (6, 60)
    assert (orders.sort(1).values == torch.arange(60)).all()


def test_cached_orders_can_be_used_in_training_after_inference():
    with torch.inference_mode():
        orders = route_orders((1, 2, 7), ("time",))
        window = window_orders(19)
    assert not orders.is_inference()
    assert not window.is_inference()


def test_pairs_are_a_route_and_its_reverse():
    y_BGLD = torch.arange(6.0).view(1, 6, 1, 1).expand(1, 6, 2, 3)  # route g says g
    merged = merge_pairs(y_BGLD)
    assert [pair.unique().item() for pair in merged] == [0 + 3, 1 + 4, 2 + 5]
    assert merged[0].shape == (1, 2, 3)


def test_windows_run_frame_by_frame():
    tokens = torch.arange(2 * 4 * 4).view(1, 2, 4, 4, 1)  # two frames of 4x4
    windows = split_windows(tokens, (2, 2))[..., 0].tolist()
    assert windows[0] == [0, 1, 4, 5, 16, 17, 20, 21]
    assert windows[1] == [2, 3, 6, 7, 18, 19, 22, 23]
    assert windows[2] == [8, 9, 12, 13, 24, 25, 28, 29]
    assert window_orders(3).tolist() == [[0, 1, 2], [2, 1, 0]]


def test_windows_round_trip():
    x_BTHWD = torch.randn(2, 3, 8, 6, 5)
    windows = split_windows(x_BTHWD, (4, 2))
    assert windows.shape == (2 * 2 * 3, 3 * 4 * 2, 5)
    assert torch.equal(join_windows(windows, (4, 2), (3, 8, 6)), x_BTHWD)


def test_windows_must_divide_the_grid():
    with pytest.raises(PosecliError, match=r"3x2 does not divide the 8x6"):
        split_windows(torch.zeros(1, 1, 8, 6, 1), (3, 2))
