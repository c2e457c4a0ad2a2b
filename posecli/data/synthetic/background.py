"""Procedural places: rooms, streets, parks and abstract clutter, with the horizon where the camera has it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from posecli.data.synthetic.raster import FloatArray
from posecli.data.synthetic.texture import noise
from posecli.types import Image

PLACES = ("room", "street", "park", "clutter")
_Drawing = FloatArray  # (height, width, 3) RGB 0..255, drawn in place


def random_background(
    rng: np.random.Generator, size: tuple[int, int], horizon: float | None = None, place: str | None = None
) -> Image:
    """An empty place.

    Args:
        size: (width, height) pixels.
        horizon: its row in the picture; drawn at random if None.
        place: one of PLACES; drawn at random if None.
    """
    width, height = size
    row = rng.uniform(0.3, 0.6) * height if horizon is None else horizon
    row = int(np.clip(row, 0.12 * height, 0.85 * height))
    kind = str(rng.choice(PLACES, p=[0.4, 0.25, 0.2, 0.15])) if place is None else place
    drawing = np.empty((height, width, 3), np.float32)
    _DRAWERS[kind](rng, drawing, row)
    light = 1 + 0.12 * noise(rng, height, width, max(width, height) / 2.5)
    grain = 1 + 0.03 * noise(rng, height, width, 4)
    return np.clip(drawing * (light * grain)[..., None], 0, 255).astype(np.uint8)


def _muted(rng: np.random.Generator, low: float = 40, high: float = 225) -> FloatArray:
    return (rng.uniform(low, high) + rng.normal(0, 9, 3)).astype(np.float32)


def _gradient(drawing: _Drawing, top: int, bottom: int, first: FloatArray, last: FloatArray) -> None:
    if bottom > top:
        share = np.linspace(0, 1, bottom - top, dtype=np.float32)[:, None, None]
        drawing[top:bottom] = first + (last - first) * share


def _box(drawing: _Drawing, x0: float, y0: float, x1: float, y1: float, colour: FloatArray) -> None:
    cv2.rectangle(drawing, (int(x0), int(y0)), (int(x1), int(y1)), colour.tolist(), -1)


def _floor(rng: np.random.Generator, drawing: _Drawing, top: int, horizon: int) -> None:
    """Ground from a row down, with tiles or planks that run to the horizon."""
    height, width = drawing.shape[:2]
    colour = _muted(rng, 60, 190)
    _gradient(drawing, top, height, colour * 0.85, colour * 1.1)
    style = rng.choice(["bare", "tiles", "planks"])
    joint = (colour * rng.uniform(0.65, 0.88)).tolist()
    vanishing = int(width * rng.uniform(0.2, 0.8))
    if style != "bare":
        spacing = width * rng.uniform(0.08, 0.3)
        region = drawing[top:]
        for i in range(-25, 26):
            foot = (int(vanishing + i * spacing), height - top)
            cv2.line(region, (vanishing, horizon - top), foot, joint, 1, cv2.LINE_AA)
        if style == "tiles":
            for depth in np.arange(1, 14):
                row = int((height - horizon) * 1.2 / depth * 0.9)
                cv2.line(
                    region, (0, horizon + row - top), (width, horizon + row - top), joint, 1, cv2.LINE_AA
                )


def _room(rng: np.random.Generator, drawing: _Drawing, horizon: int) -> None:
    height, width = drawing.shape[:2]
    wall = _muted(rng, 90, 235)
    foot = int(np.clip(horizon + rng.uniform(0.08, 0.3) * height, 0, height - 4))
    _gradient(drawing, 0, foot, wall, wall * 0.9)
    _floor(rng, drawing, foot, horizon)
    if rng.random() < 0.7:
        _box(drawing, 0, foot - max(2, height // 50), width, foot, _muted(rng, 120, 240))
    for _ in range(rng.integers(1, 5)):
        x, w = rng.uniform(-0.1, 0.95) * width, rng.uniform(0.08, 0.3) * width
        kind = rng.choice(["window", "picture", "door", "furniture"])
        if kind == "window":
            _window(rng, drawing, x, rng.uniform(0, 0.2) * height, w, rng.uniform(0.2, 0.35) * height)
        elif kind == "picture":
            y, h = rng.uniform(0.02, 0.25) * height, rng.uniform(0.1, 0.25) * height
            _box(drawing, x, y, x + w, y + h, _muted(rng, 20, 120))
            _box(drawing, x + 3, y + 3, x + w - 3, y + h - 3, _muted(rng))
        elif kind == "door":
            _box(drawing, x, foot - 0.5 * height, x + w * 0.8, foot, _muted(rng, 50, 200))
        else:
            _furniture(rng, drawing, x, foot, w)


def _window(rng: np.random.Generator, drawing: _Drawing, x: float, y: float, w: float, h: float) -> None:
    _box(drawing, x, y, x + w, y + h, _muted(rng, 150, 240))
    _box(drawing, x + 3, y + 3, x + w - 3, y + h - 3, _muted(rng, 160, 250))
    _box(drawing, x + w / 2 - 1, y, x + w / 2 + 1, y + h, _muted(rng, 100, 240))
    _box(drawing, x, y + h / 2 - 1, x + w, y + h / 2 + 1, _muted(rng, 100, 240))


def _furniture(rng: np.random.Generator, drawing: _Drawing, x: float, foot: int, w: float) -> None:
    """A cupboard, shelf or table against the wall."""
    height = drawing.shape[0]
    colour = _muted(rng, 40, 200)
    top, bottom = foot - rng.uniform(0.12, 0.45) * height, foot + 0.05 * height
    if rng.random() < 0.3:
        _box(drawing, x, top, x + w, top + 0.03 * height, colour)
        _box(drawing, x + 2, top, x + 6, bottom, colour * 0.8)
        _box(drawing, x + w - 6, top, x + w - 2, bottom, colour * 0.8)
        return
    _box(drawing, x, top, x + w, bottom, colour)
    for share in np.linspace(0, 1, rng.integers(2, 6))[1:]:
        row = top + (bottom - top) * share
        _box(drawing, x + 2, row - 3, x + w - 2, row - 2, colour * 0.6)


def _sky(rng: np.random.Generator, drawing: _Drawing, horizon: int) -> None:
    height, width = drawing.shape[:2]
    blue = rng.uniform(0, 1)  # from overcast to clear
    top = np.array([195 - 100 * blue, 205 - 60 * blue, 215 + 25 * blue], np.float32)
    _gradient(drawing, 0, horizon + 1, top, np.array([215, 225, 235], np.float32))
    clouds = np.clip(
        noise(rng, height, width, height / 5) + 0.5 * noise(rng, height, width, height / 14), 0, 1
    )
    drawing[: horizon + 1] += (30 * clouds[..., None])[: horizon + 1]


def _street(rng: np.random.Generator, drawing: _Drawing, horizon: int) -> None:
    height, width = drawing.shape[:2]
    _sky(rng, drawing, horizon)
    kerb = min(height - 2, int(horizon + rng.uniform(0.03, 0.15) * height))
    x = -rng.uniform(0, 0.2) * width
    while x < width:
        w, top = rng.uniform(0.15, 0.4) * width, horizon - rng.uniform(0.3, 1.2) * horizon
        front = _muted(rng, 60, 210)
        _box(drawing, x, top, x + w, kerb, front)
        pane, pitch = front * rng.uniform(0.35, 0.7), max(7.0, rng.uniform(0.035, 0.07) * width)
        for px in np.arange(x + pitch * 0.4, x + w - pitch * 0.6, pitch):
            for py in np.arange(top + pitch * 0.4, kerb - pitch, pitch * 1.3):
                _box(drawing, px, py, px + pitch * 0.5, py + pitch * 0.7, pane * rng.uniform(0.8, 1.3))
        x += w
    road = _muted(rng, 80, 150)
    _gradient(drawing, kerb, height, road * 0.95, road * 1.1)
    pavement = int(kerb + rng.uniform(0.05, 0.3) * (height - kerb))
    _gradient(drawing, kerb, pavement, road * 1.25, road * 1.35)
    _box(drawing, 0, pavement, width, pavement + max(1, height // 100), road * 0.7)


def _park(rng: np.random.Generator, drawing: _Drawing, horizon: int) -> None:
    height, width = drawing.shape[:2]
    _sky(rng, drawing, horizon)
    grass = np.array([rng.uniform(60, 130), rng.uniform(100, 160), rng.uniform(40, 80)], np.float32)
    _gradient(drawing, horizon, height, grass * 0.8, grass * 1.15)
    blades = noise(rng, height, width, 3) + noise(rng, height, width, 17)
    drawing[horizon:] *= (1 + 0.1 * blades[..., None])[horizon:]
    for _ in range(rng.integers(3, 12)):
        x, size = rng.uniform(0, 1) * width, rng.uniform(0.08, 0.3) * height
        leaves = np.array([rng.uniform(25, 90), rng.uniform(60, 120), rng.uniform(20, 60)], np.float32)
        base = horizon + rng.uniform(0, 0.06) * height
        _box(drawing, x - size * 0.08, base - size, x + size * 0.08, base, np.array([70, 52, 38], np.float32))
        for _ in range(14):
            blob = (int(x + rng.normal(0, 0.45) * size), int(base - size * rng.uniform(0.7, 2)))
            cv2.circle(
                drawing,
                blob,
                int(size * rng.uniform(0.2, 0.45)),
                (leaves * rng.uniform(0.7, 1.3)).tolist(),
                -1,
            )


def _clutter(rng: np.random.Generator, drawing: _Drawing, horizon: int) -> None:
    """Nothing in particular: many shapes of every size, against taking shapes for people."""
    height, width = drawing.shape[:2]
    _gradient(drawing, 0, height, _muted(rng), _muted(rng))
    for _ in range(rng.integers(10, 45)):
        centre = rng.uniform(0, 1, 2) * (width, height)
        extent = rng.uniform(0.02, 0.25, 2) * (width, height)
        colour = _muted(rng).tolist()
        if rng.random() < 0.5:
            corners = centre + rng.uniform(-1, 1, (rng.integers(3, 7), 2)) * extent
            cv2.fillConvexPoly(drawing, cv2.convexHull(corners.astype(np.int32)), colour, cv2.LINE_AA)
        else:
            axes = (int(extent[0] / 2) + 1, int(extent[1] / 2) + 1)
            at = (int(centre[0]), int(centre[1]))
            cv2.ellipse(drawing, at, axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)


_DRAWERS: dict[str, Callable[[np.random.Generator, _Drawing, int], None]] = {
    "room": _room,
    "street": _street,
    "park": _park,
    "clutter": _clutter,
}
