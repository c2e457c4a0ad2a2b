"""Points in polygons, by the even-odd rule and with exact signs: a point on the boundary is outside.

These are the answers of GEOS's `contains`, by which poseval leaves joints out, without the need for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# A float64 cross product below this share of its terms may have the wrong sign.
_DOUBT = 1e-14


def inside_any(points: NDArray[np.floating], polygons: Iterable[NDArray[np.floating]]) -> NDArray[np.bool_]:
    """(...) which of the points (..., 2) lie inside at least one polygon (corners, 2)."""
    flat = np.asarray(points, np.float64).reshape(-1, 2)
    inside = np.zeros(len(flat), bool)
    for polygon in polygons:
        inside |= inside_polygon(flat, np.asarray(polygon, np.float64))
    return inside.reshape(points.shape[:-1])


def inside_polygon(points: NDArray[np.float64], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) which of the points (n, 2) lie inside a polygon (corners, 2), which closes by itself."""
    odd = np.zeros(len(points), bool)
    on_boundary = np.zeros(len(points), bool)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        side = _side(points, start, end)
        low, high = np.minimum(start, end), np.maximum(start, end)
        on_boundary |= (side == 0) & ((points >= low) & (points <= high)).all(axis=1)
        # A ray to the right meets the edge, of whose ends the lower counts and the upper does not.
        y = points[:, 1]
        rises = start[1] < end[1]
        spans = (y >= low[1]) & (y < high[1])
        odd ^= spans & ((side > 0) if rises else (side < 0))
    return odd & ~on_boundary


def _side(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) above 0 for points left of the line from start to end (x right, y up), 0 on it."""
    first = (end[0] - start[0]) * (points[:, 1] - start[1])
    second = (end[1] - start[1]) * (points[:, 0] - start[0])
    side = first - second
    corners = max(np.abs(start).max(), np.abs(end).max())
    largest = np.maximum(corners, np.abs(points).max(axis=1, initial=0))
    for i in np.flatnonzero(np.abs(side) <= _DOUBT * largest**2):
        side[i] = _exact_side(points[i], start, end)
    return side


def _exact_side(point: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    (x, y), (x0, y0), (x1, y1) = ([Fraction(v) for v in p.tolist()] for p in (point, start, end))
    side = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
    return float((side > 0) - (side < 0))
