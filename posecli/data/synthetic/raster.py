"""Shaded solids on a small canvas with a depth buffer: tubes and ellipsoids, each seen along the z axis.

Legend: n pixels of a part; positions on the canvas are in pixels of the picture, depths in metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Painter = Callable[[FloatArray], FloatArray]  # (n, 3) on the unit sphere of a part's own axes -> (n, 3) RGB
TABLE = 64  # samples of a tube's profile
_STEPS = np.linspace(0, 1, TABLE)


@dataclass(frozen=True, slots=True)
class Light:
    """One distant lamp and the light from everywhere. `towards` is a unit vector that points at the lamp."""

    towards: tuple[float, float, float] = (-0.4, -0.6, -0.69)
    ambient: float = 0.55
    diffuse: float = 0.6

    def shade(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """The brightness of surfaces with the unit normals (x, y, z), each (n,)."""
        facing = x * self.towards[0] + y * self.towards[1] + z * self.towards[2]
        return self.ambient + self.diffuse * np.maximum(facing, 0)


@dataclass(frozen=True, slots=True)
class Material:
    """A square texture that repeats. `texels` (side, side, 3) float32 RGB 0..255, the side a power of two."""

    texels: FloatArray
    texels_per_metre: float = 220.0

    def sample(self, along: FloatArray, across: FloatArray) -> FloatArray:
        """The texture at positions in metres on the surface, each (n,): (n, 3)."""
        wrap = len(self.texels) - 1
        rows = (along * self.texels_per_metre).astype(np.int32) & wrap
        columns = (across * self.texels_per_metre).astype(np.int32) & wrap
        return self.texels[rows, columns]


class Canvas:
    """A window of the picture at `scale` canvas pixels a pixel, with colour and depth."""

    def __init__(self, x0: int, y0: int, width: int, height: int, scale: int, light: Light) -> None:
        self.x0, self.y0, self.width, self.height, self.scale, self.light = (
            x0,
            y0,
            width,
            height,
            scale,
            light,
        )
        self.colour = np.zeros((height * scale, width * scale, 3), np.float32)
        self.depth = np.full((height * scale, width * scale), np.inf, np.float32)

    def window(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice] | None:
        """Rows and columns of the canvas that cover a box in picture coordinates; None if there are none."""
        rows, columns = self.depth.shape
        left = max(0, int(np.floor((x0 - self.x0 + 0.5) * self.scale)))
        top = max(0, int(np.floor((y0 - self.y0 + 0.5) * self.scale)))
        right = min(columns, int(np.ceil((x1 - self.x0 + 0.5) * self.scale)) + 1)
        bottom = min(rows, int(np.ceil((y1 - self.y0 + 0.5) * self.scale)) + 1)
        if left >= right or top >= bottom:
            return None
        return slice(top, bottom), slice(left, right)

    def positions(self, window: tuple[slice, slice]) -> tuple[FloatArray, FloatArray]:
        """Picture coordinates of a window's pixel centres: x (1, columns) and y (rows, 1)."""
        rows, columns = window
        x = (np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5) / self.scale + (self.x0 - 0.5)
        y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / self.scale + (self.y0 - 0.5)
        return x[None], y[:, None]

    def test(
        self, window: tuple[slice, slice], index: NDArray[np.intp], depth: FloatArray
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The depth test of pixels (n,), given by their flat index in the window.

        Returns:
            which of them are nearer than what is there, (m,), and their flat index in the canvas, (m,). Their
            depth is stored.
        """
        rows, columns = window
        row, column = np.divmod(index, columns.stop - columns.start)
        index = (row + rows.start) * self.depth.shape[1] + (column + columns.start)
        stored = self.depth.reshape(-1)
        nearer = np.flatnonzero(depth < stored[index])
        index = index[nearer]
        stored[index] = depth[nearer]
        return nearer, index

    def put(self, index: NDArray[np.intp], rgb: FloatArray) -> None:
        """Colour the pixels (m,) that passed the test."""
        self.colour.reshape(-1, 3)[index] = rgb


@dataclass(frozen=True, slots=True)
class End:
    """One end of a tube, projected: pixels, metres of depth, and pixels a metre at that depth."""

    x: float
    y: float
    z: float
    scale: float


@lru_cache
def _knots(count: int) -> FloatArray:
    return np.linspace(0, 1, count)


def draw_tube(
    canvas: Canvas,
    start: End,
    end: End,
    radii: FloatArray,
    thickness: FloatArray,
    material: Material,
    seed: float = 0,
    cap: float = 1,
) -> None:
    """A tube around the line from start to end.

    Args:
        radii: (k,) metres, half the width seen, at equal steps from start to end.
        thickness: (k,) metres, half the depth towards the camera at the same steps.
        seed: metres by which the texture is shifted.
        cap: how far the ends bulge: 1 is a half sphere, 0.1 nearly flat.
    """
    knots = _knots(len(radii))
    scales = start.scale + (end.scale - start.scale) * _STEPS
    radius_px = (np.interp(_STEPS, knots, radii) * scales).astype(np.float32)
    thick = np.interp(_STEPS, knots, thickness).astype(np.float32)
    reach = float(radius_px.max())
    window = canvas.window(
        min(start.x, end.x) - reach,
        min(start.y, end.y) - reach,
        max(start.x, end.x) + reach,
        max(start.y, end.y) + reach,
    )
    if window is None:
        return
    x, y = canvas.positions(window)
    length = max(float(np.hypot(end.x - start.x, end.y - start.y)), 1e-3)
    dx, dy = (end.x - start.x) / length, (end.y - start.y) / length
    along = ((x - start.x) * dx + (y - start.y) * dy).ravel()
    across = ((y - start.y) * dx - (x - start.x) * dy).ravel()
    beyond = (along - np.clip(along, 0, length)) * np.float32(1 / cap)
    step = (np.clip(along * (1 / length), 0, 1) * (TABLE - 1)).astype(np.int32)
    inside = np.flatnonzero(across * across + beyond * beyond < (radius_px * radius_px)[step])
    step, along, across, beyond = step[inside], along[inside], across[inside], beyond[inside]
    radius = radius_px[step]
    u, v = across / radius, beyond / radius
    towards = np.sqrt(np.maximum(1 - u * u - v * v, 0))
    depth = (
        np.float32(start.z)
        + np.float32(end.z - start.z) * step * np.float32(1 / (TABLE - 1))
        - thick[step] * towards
    )
    nearer, index = canvas.test(window, inside, depth)
    u, v, towards, along, across = u[nearer], v[nearer], towards[nearer], along[nearer], across[nearer]
    shade = canvas.light.shade(v * dx - u * dy, v * dy + u * dx, -towards)
    metres = 1 / start.scale
    rgb = material.sample(along * metres + seed, across * metres + seed) * shade[:, None]
    canvas.put(index, rgb)


def draw_ellipsoid(
    canvas: Canvas, centre: End, axes: NDArray[np.float64], radii: NDArray[np.float64], paint: Painter
) -> None:
    """An ellipsoid with the given radii (3,) in metres along the columns of axes (3, 3)."""
    form = axes @ np.diag(1 / np.square(radii)) @ axes.T  # points p of the surface: p' form p = 1
    extent = np.sqrt(np.diag(np.linalg.inv(form))) * centre.scale
    window = canvas.window(
        centre.x - extent[0], centre.y - extent[1], centre.x + extent[0], centre.y + extent[1]
    )
    if window is None:
        return
    x, y = canvas.positions(window)
    x, y = np.broadcast_arrays((x - centre.x) * (1 / centre.scale), (y - centre.y) * (1 / centre.scale))
    x, y = x.ravel().astype(np.float32), y.ravel().astype(np.float32)
    a, f = np.float32(form[2, 2]), form.astype(np.float32)
    b = f[0, 2] * x + f[1, 2] * y
    discriminant = b * b - a * (f[0, 0] * x * x + 2 * f[0, 1] * x * y + f[1, 1] * y * y - 1)
    inside = np.flatnonzero(discriminant > 0)
    z = -(b[inside] + np.sqrt(discriminant[inside])) / a
    depth = z + np.float32(centre.z)
    nearer, index = canvas.test(window, inside, depth)
    inside = inside[nearer]
    points = np.stack([x[inside], y[inside], z[nearer]], 1)
    normals = points @ f
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    own = (points @ axes.astype(np.float32)) / radii.astype(np.float32)
    shade = canvas.light.shade(normals[:, 0], normals[:, 1], normals[:, 2])
    canvas.put(index, paint(own) * shade[:, None])


def plain(rgb: tuple[float, float, float]) -> Painter:
    """A painter of one colour."""
    colour = np.asarray(rgb, np.float32)
    return lambda own: np.broadcast_to(colour, own.shape)
