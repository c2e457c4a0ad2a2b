"""Points in polygons: what GEOS says, case by case."""

import numpy as np
import pytest

from posecli.metrics.polygons import inside_any, inside_polygon

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]
ARROW = [(0, 0), (10, 5), (0, 10), (4, 5)]  # dented on the left
STAR = [(5, 0), (8, 10), (0, 4), (10, 4), (2, 10)]  # its middle is covered twice


def inside(polygon, *points):
    return inside_polygon(np.array(points, float), np.array(polygon, float)).tolist()


def test_inside_and_outside():
    assert inside(SQUARE, (5, 5), (-1, 5), (11, 5), (5, 11), (5, -1)) == [True, False, False, False, False]
    assert inside(ARROW, (5, 5), (2, 5), (2, 2)) == [True, False, True]


@pytest.mark.parametrize("polygon", [SQUARE, ARROW, SQUARE[::-1], [*SQUARE, SQUARE[0]]])
def test_corners_and_edges_are_outside(polygon):
    corners = np.array(polygon, float)
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    assert not any(inside(polygon, *corners, *middles))


def test_a_ray_through_corners_counts_each_once():
    """At the height of the arrow's tip and of its dent, and of the diamond's corners."""
    diamond = [(5, 0), (10, 5), (5, 10), (0, 5)]
    assert inside(diamond, (-1, 5), (1, 5), (9, 5), (11, 5)) == [False, True, True, False]
    assert inside(diamond, (0, 0), (0, 10), (10, 0), (10, 10)) == [False] * 4


def test_what_is_covered_twice_is_outside():
    assert inside(STAR, (5, 6), (5, 1)) == [False, True]


def test_a_slanted_boundary_is_decided_exactly():
    """0.1 + 0.2 and 0.3 are different numbers: from (0, 0) to (3, 3) the one is on the line, the other is not."""
    triangle = [(0, 0), (3, 3), (0, 3)]
    assert inside(triangle, (0.3, 0.3), (0.3, 0.1 + 0.2), (0.1 + 0.2, 0.3)) == [False, True, False]


def test_less_than_a_triangle_holds_nothing():
    assert inside([(0, 0), (10, 10)], (5, 5), (5, 6)) == [False, False]
    assert inside(np.zeros((0, 2)), (5, 5)) == [False]


def test_any_of_several_keeps_the_shape():
    points = np.array([[[5, 5], [25, 5]], [[15, 5], [5, 6]]], float)
    other = np.array(SQUARE, float) + np.array([20, 0])
    assert inside_any(points, [np.array(SQUARE, float), other]).tolist() == [[True, True], [False, True]]
    assert not inside_any(points, []).any()


def test_random_points_by_the_sum_of_angles():
    """Around a point inside, the polygon's corners are seen under 360 degrees."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
        polygon = 5 + rng.uniform(1, 5, (7, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = rng.uniform(0, 10, (40, 2))
        seen = np.arctan2(*(polygon[None] - points[:, None]).transpose(2, 0, 1))
        turns = (np.roll(seen, -1, axis=1) - seen + np.pi) % (2 * np.pi) - np.pi
        np.testing.assert_array_equal(inside_polygon(points, polygon), np.abs(turns.sum(axis=1)) > np.pi)
