"""Shapes that do not fit are refused with the argument's name, before a kernel indexes out of bounds."""

from __future__ import annotations

import pytest
import torch

from posecli.nn.scan import scan_routes, selective_scan
from tests.nn.scan.test_backends import route_inputs, scan_inputs


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("u", (1, 4), "u must be"),
        ("delta", (1, 4, 8), "delta has shape"),
        ("A", (3, 5), "A has shape"),
        ("B", (1, 3, 5, 9), "3 groups do not divide 4 channels"),
        ("C", (1, 1, 5, 9), "C has shape"),
        ("D", (5,), "D has shape"),
        ("z", (1, 4, 1), "z has shape"),
        ("delta_bias", (1,), "delta_bias has shape"),
    ],
)
def test_selective_scan_refuses_misfits(name: str, shape: tuple[int, ...], message: str) -> None:
    inputs = scan_inputs(1, 4, 9, 2, 5) | {name: torch.ones(shape)}
    with pytest.raises(ValueError, match=message):
        selective_scan(**inputs)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("x_BLD", (1, 9), "x must be"),
        ("x_BLD", (1, 2, 9, 4), "x has 2 routes, A has 3"),
        ("x_BLD", (1, 8, 4), "delta has shape"),
        ("delta_BGLD", (1, 3, 9, 5), "delta has shape"),
        ("B_BGLN", (1, 3, 9, 4), "B has shape"),
        ("C_BGLN", (1, 1, 9, 5), "C has shape"),
        ("D_GD", (4,), "D has shape"),
        ("delta_bias_GD", (3, 1), "delta_bias has shape"),
    ],
)
def test_scan_routes_refuses_misfits(name: str, shape: tuple[int, ...], message: str) -> None:
    inputs = route_inputs(1, 3, 9, 4, 5) | {name: torch.ones(shape)}
    with pytest.raises(ValueError, match=message):
        scan_routes(**inputs)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([[0, 1, 2], [0, 1, 3]], "permutation"),  # beyond the tokens
        ([[0, 1, 2], [0, 1, -1]], "permutation"),
        ([[0, 1, 2], [0, 1, 1]], "permutation"),  # a token never written
        ([[0, 1, 2]], "order has shape"),
    ],
)
def test_scan_routes_refuses_orders_that_are_no_permutations(order: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scan_routes(**route_inputs(1, 2, 3, 4, 5), order_GL=torch.tensor(order))


def test_scan_routes_refuses_orders_of_another_dtype() -> None:
    with pytest.raises(ValueError, match="int64"):
        scan_routes(**route_inputs(1, 1, 3, 4, 5), order_GL=torch.arange(3, dtype=torch.int32)[None])
