"""From actors before a lens to a picture and its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.data.synthetic.body import HEAD_RADII, Array, Figure, head_ends
from posecli.data.synthetic.person import Lens, draw_person
from posecli.data.synthetic.raster import Canvas, FloatArray, Light, draw_ellipsoid
from posecli.data.synthetic.texture import Material, Outfit
from posecli.skeletons import COCO, Skeleton
from posecli.types import Image

SUPERSAMPLED_HEIGHT = (
    150  # pixels; people taller than this are drawn without supersampling, their edges softened
)
OCCLUDER = 255  # its label among the instances
SOFT_EDGE = 0.55  # sigma, pixels


@dataclass(frozen=True, slots=True)
class SyntheticFrame:
    """A drawn picture and what is true of it. People stand in the order of their track ids."""

    image: Image  # (height, width, 3) RGB
    keypoints: (
        FloatArray  # (n, K, 2) pixels, the skeleton's order; exact also where hidden or outside the picture
    )
    visible: NDArray[np.bool_]  # (n, K) inside the picture and not behind another person or an occluder
    boxes: (
        FloatArray  # (n, 4) x0, y0, x1, y1: tight around the drawn body, hidden parts too, cut to the picture
    )
    track_ids: NDArray[np.int64]  # (n,) from 1
    instances: NDArray[
        np.uint8
    ]  # (height, width) the track id seen at a pixel; 0 background, 255 an occluder
    visible_fraction: FloatArray  # (n,) share of the drawn body inside the picture that is not hidden


@dataclass(frozen=True, slots=True)
class Placed:
    """One person at one time: its figure, and where its ground point is before the camera (metres)."""

    figure: Figure
    outfit: Outfit
    offset: Array  # (3,)
    track_id: int


@dataclass(frozen=True, slots=True)
class Occluder:
    """An upright board, or a ball, that hides what is behind it, standing in the scene.

    x and z are the middle of its foot in the camera's metres; the foot may hang `above` the ground.
    """

    x: float
    z: float
    width: float
    height: float
    material: Material
    above: float = 0.0
    round: bool = False


@dataclass(slots=True)
class _Layer:
    """Something drawn by itself, to be laid over the picture."""

    rows: slice
    columns: slice
    colour: FloatArray  # (rows, columns, 3), premultiplied by coverage
    coverage: FloatArray  # (rows, columns) 0..1
    depth: float
    label: int


def project(lens: Lens, placed: Placed, skeleton: Skeleton = COCO) -> FloatArray:
    """The keypoints of a person, (K, 2) pixels."""
    landmarks = placed.figure.points | head_ends(placed.figure)
    points = np.stack([landmarks[name] for name in skeleton.keypoints]) + placed.offset
    pixels = points[:, :2] * (lens.focal / np.maximum(points[:, 2:], 0.1)) + np.asarray(lens.centre)
    return pixels.astype(np.float32)


def head_box(lens: Lens, placed: Placed) -> FloatArray:
    """The rectangle (x0, y0, x1, y1) around the drawn skull and PoseTrack's two ends of the head, pixels."""
    figure = placed.figure
    radii = HEAD_RADII * figure.proportions.head * figure.proportions.stature
    centre = lens.end(figure.points["head"] + placed.offset)
    reach = np.linalg.norm(figure.head[:2] * radii, axis=1) * centre.scale
    skull = np.array([centre.x, centre.y]) + np.outer([-1, 1], reach)
    ends = [lens.end(point + placed.offset) for point in head_ends(figure).values()]
    corners = np.vstack([skull, [(end.x, end.y) for end in ends]])
    return np.concatenate([corners.min(0), corners.max(0)]).astype(np.float32)


def render(
    background: Image,
    lens: Lens,
    light: Light,
    people: list[Placed],
    occluders: list[Occluder],
    ground: float,
    skeleton: Skeleton = COCO,
) -> SyntheticFrame:
    """Draw people and occluders over a background, the farthest first.

    Args:
        ground: metres from the lens down to the ground.
        skeleton: COCO or POSETRACK18, the keypoints to label.
    """
    height, width = background.shape[:2]
    picture = background.astype(np.float32)
    instances = np.zeros((height, width), np.uint8)
    layers = {person.track_id: _person_layer(person, lens, light, width, height) for person in people}
    people = [person for person in people if layers[person.track_id] is not None]
    for person in people:
        _shadow(picture, lens, person)
    boards = [_board_layer(board, lens, light, ground, width, height) for board in occluders]
    drawn = [layer for layer in (*layers.values(), *boards) if layer is not None]
    for layer in sorted(drawn, key=lambda layer: -layer.depth):
        window = (layer.rows, layer.columns)
        picture[window] *= 1 - layer.coverage[..., None]
        picture[window] += layer.colour
        instances[window][layer.coverage > 0.5] = layer.label
    return _labelled(picture, instances, people, layers, lens, skeleton)


def _labelled(
    picture: FloatArray,
    instances: NDArray[np.uint8],
    people: list[Placed],
    layers: dict[int, _Layer | None],
    lens: Lens,
    skeleton: Skeleton,
) -> SyntheticFrame:
    count = len(people)
    height, width = instances.shape
    keypoints = np.zeros((count, len(skeleton), 2), np.float32)
    visible = np.zeros((count, len(skeleton)), bool)
    boxes, fraction = np.zeros((count, 4), np.float32), np.zeros(count, np.float32)
    depths = {person.track_id: float(person.offset[2]) for person in people}
    for i, person in enumerate(people):
        layer = layers[person.track_id]
        assert layer is not None  # people without a layer were left out
        keypoints[i] = project(lens, person, skeleton)
        boxes[i] = _box(layer)
        x, y = np.rint(keypoints[i]).astype(int).T
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        seen = instances[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        behind = {track for track, depth in depths.items() if depth >= depths[person.track_id]}
        visible[i] = inside & np.isin(seen, [0, *behind])
        covered = layer.coverage > 0.5
        shown = covered & (instances[layer.rows, layer.columns] == person.track_id)
        fraction[i] = shown.sum() / max(1, covered.sum())
    ids = np.array([person.track_id for person in people], np.int64)
    image = np.clip(picture, 0, 255).astype(np.uint8)
    return SyntheticFrame(image, keypoints, visible, boxes, ids, instances, fraction)


def _box(layer: _Layer) -> tuple[float, float, float, float]:
    """Outer edges of the pixels covered by half or more, with pixel centres at integers."""
    covered = layer.coverage >= 0.5
    columns, rows = np.flatnonzero(covered.any(0)), np.flatnonzero(covered.any(1))
    x0, y0 = layer.columns.start, layer.rows.start
    return x0 + columns[0] - 0.5, y0 + rows[0] - 0.5, x0 + columns[-1] + 0.5, y0 + rows[-1] + 0.5


def _person_layer(person: Placed, lens: Lens, light: Light, width: int, height: int) -> _Layer | None:
    """One person alone, or None where nothing of it is inside the picture."""
    points = np.stack(list(person.figure.points.values())) + person.offset
    if points[:, 2].min() < 0.3:
        return None
    pixels = points[:, :2] * (lens.focal / points[:, 2:]) + np.asarray(lens.centre)
    body = person.figure.proportions
    margin = (HEAD_RADII[1] * body.head + 0.06 * body.girth) * body.stature * lens.focal / points[
        :, 2
    ].min() + 2
    low = np.floor(pixels.min(0) - margin).astype(int)
    high = np.ceil(pixels.max(0) + margin).astype(int) + 1
    x0, y0 = np.clip(low, 0, (width, height))
    x1, y1 = np.clip(high, 0, (width, height))
    if x0 >= x1 or y0 >= y1:
        return None
    scale = 1 if pixels[:, 1].max() - pixels[:, 1].min() > SUPERSAMPLED_HEIGHT else 2
    canvas = Canvas(int(x0), int(y0), int(x1 - x0), int(y1 - y0), scale, light)
    draw_person(canvas, lens, person.figure, person.outfit, person.offset)
    return _flatten(canvas, float(person.offset[2]), person.track_id)


def _board_layer(
    board: Occluder, lens: Lens, light: Light, ground: float, width: int, height: int
) -> _Layer | None:
    scale = lens.focal / board.z
    left = (board.x - board.width / 2) * scale + lens.centre[0]
    bottom = (ground - board.above) * scale + lens.centre[1]
    top, right = bottom - board.height * scale, left + board.width * scale
    x0, x1 = np.clip([round(left), round(right)], 0, width)
    y0, y1 = np.clip([round(top), round(bottom)], 0, height)
    if x0 >= x1 or y0 >= y1:
        return None
    if board.round:
        return _ball_layer(board, (int(x0), int(y0), int(x1), int(y1)), lens, light, ground)
    canvas = Canvas(int(x0), int(y0), int(x1 - x0), int(y1 - y0), 1, light)
    window = (slice(0, canvas.height), slice(0, canvas.width))
    x, y = canvas.positions(window)
    along, across = np.broadcast_arrays((y - top) / scale, (x - left) / scale)
    canvas.colour[:] = board.material.sample(along, across) * (light.ambient + 0.5 * light.diffuse)
    canvas.depth[:] = board.z
    return _flatten(canvas, board.z, OCCLUDER)


def _ball_layer(
    ball: Occluder, box: tuple[int, int, int, int], lens: Lens, light: Light, ground: float
) -> _Layer | None:
    """An ellipsoid as wide and high as the board would be, in a box of the picture."""
    x0, y0, x1, y1 = box
    radii = np.array([ball.width, ball.height, ball.width]) / 2
    centre = lens.end(np.array([ball.x, ground - ball.above - radii[1], ball.z]))
    canvas = Canvas(x0, y0, x1 - x0, y1 - y0, 2, light)

    def paint(own: FloatArray) -> FloatArray:
        return ball.material.sample(own[:, 1] * radii[1], own[:, 0] * radii[0])

    draw_ellipsoid(canvas, centre, np.eye(3), radii, paint)
    return _flatten(canvas, ball.z, OCCLUDER)


def _float(image: NDArray[Any]) -> FloatArray:
    return np.asarray(image, np.float32)


def _flatten(canvas: Canvas, depth: float, label: int) -> _Layer | None:
    """The canvas at the picture's resolution."""
    coverage = np.isfinite(canvas.depth).astype(np.float32)
    colour = canvas.colour
    if canvas.scale > 1:
        size = (canvas.width, canvas.height)
        coverage, colour = (
            _float(cv2.resize(x, size, interpolation=cv2.INTER_AREA)) for x in (coverage, colour)
        )
    elif label != OCCLUDER:
        coverage, colour = (_float(cv2.GaussianBlur(x, (3, 3), SOFT_EDGE)) for x in (coverage, colour))
    if not (coverage >= 0.5).any():
        return None
    rows = slice(canvas.y0, canvas.y0 + canvas.height)
    columns = slice(canvas.x0, canvas.x0 + canvas.width)
    return _Layer(rows, columns, colour, coverage, depth, label)


def _shadow(picture: FloatArray, lens: Lens, person: Placed) -> None:
    """A soft dark patch on the ground below the feet."""
    feet = [person.figure.points[name] for name in ("left_toe", "right_toe", "left_heel", "right_heel")]
    middle = np.mean(feet, axis=0) + person.offset
    airborne = -max(foot[1] for foot in feet)
    middle[1] = person.offset[1]
    end = lens.end(middle)
    height, width = picture.shape[:2]
    reach_x = (np.ptp([foot[0] for foot in feet]) / 2 + 0.16) * end.scale
    reach_y = max(0.3 * reach_x, 2.0)
    x0, x1 = np.clip([int(end.x - 2 * reach_x), int(end.x + 2 * reach_x) + 1], 0, width)
    y0, y1 = np.clip([int(end.y - 2 * reach_y), int(end.y + 2 * reach_y) + 1], 0, height)
    if x0 >= x1 or y0 >= y1:
        return
    x = (np.arange(x0, x1, dtype=np.float32) - end.x) / reach_x
    y = (np.arange(y0, y1, dtype=np.float32) - end.y) / reach_y
    dark = 0.5 * np.exp(-airborne * 6) * np.exp(-1.5 * (np.square(x)[None] + np.square(y)[:, None]))
    picture[y0:y1, x0:x1] *= 1 - dark[..., None].astype(np.float32)
