"""Skeletons, boxes and ids on a picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from posecli.draw.style import (
    OUTLINE,
    Colour,
    Style,
    keypoint_colours,
    limb_colours,
    line_width,
    opacity,
    text_colour,
    text_height,
    track_colour,
)
from posecli.formats.base import NO_TRACK, box_around
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Image, Poses

FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_CAPITAL = 22  # pixels of a capital letter at scale 1
SUBPIXEL_BITS = 4  # OpenCV takes coordinates in sixteenths of a pixel
SAFE_DISTANCE = 8000  # pixels; farther points would overflow OpenCV's fixed-point numbers
THIN = 1.2  # pixels; limbs up to here have no outline, which would be all that is seen of them
MARGIN = 3  # pixels, for outlines and smoothed edges

Draw = Callable[[Image, NDArray[np.int32]], None]


def draw_poses(image: Image, poses: Poses, skeleton: Skeleton, style: Style | None = None) -> Image:
    """A copy of the picture with the people on it.

    Limbs are orange on the person's left and blue on the right; boxes and ids have a colour of the track's
    own. Keypoints of low score are faint, and those below style.min_score are left out.

    Args:
        image: (height, width, 3) RGB uint8.
        poses: the people, in the picture's pixels.
        skeleton: the order of their keypoints.
    """
    style = style or Style()
    canvas = np.array(image, np.uint8, order="C")
    boxes = _boxes(poses)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    # Large people first, so that small ones are not hidden by them.
    for i in np.argsort(-areas, kind="stable"):
        width = line_width(boxes[i], *image.shape[:2])
        if style.boxes:
            _draw_box(canvas, boxes[i], track_colour(int(poses.tracks.ids[i])), max(1, round(width / 2)))
        _draw_person(canvas, poses.keypoints[i], poses.scores[i], skeleton, style, width)
    if style.ids:
        for box, track_id in zip(boxes, poses.tracks.ids.tolist(), strict=True):
            if track_id != NO_TRACK:
                _draw_label(canvas, str(track_id), box, track_colour(track_id))
    return canvas


def _boxes(poses: Poses) -> FloatArray:
    """(n, 4): the people's boxes, and the extent of the keypoints of those who have none."""
    boxes = poses.tracks.xyxy
    is_box = np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    drawn = np.where(is_box[:, None], boxes, box_around(poses.keypoints))
    return drawn.clip(-SAFE_DISTANCE, SAFE_DISTANCE)


def _draw_person(
    canvas: Image, keypoints: FloatArray, scores: FloatArray, skeleton: Skeleton, style: Style, width: float
) -> None:
    opacities = [
        opacity(float(score), style.min_score) if _is_near(point) else 0.0
        for point, score in zip(keypoints, scores, strict=True)
    ]
    for (a, b), colour in zip(skeleton.limb_indices, limb_colours(skeleton), strict=True):
        _blend(canvas, keypoints[[a, b]], min(opacities[a], opacities[b]), width, _limb(colour, width))
    for i, colour in enumerate(keypoint_colours(skeleton)):
        _blend(canvas, keypoints[[i]], opacities[i], 2 * width, _point(colour, width))


def _is_near(point: FloatArray) -> bool:
    return bool((np.abs(point) < SAFE_DISTANCE).all())  # NaN is not


def _limb(colour: Colour, width: float) -> Draw:
    thickness = max(2, round(width))

    def draw(patch: Image, points: NDArray[np.int32]) -> None:
        start, end = points.tolist()
        if width > THIN:
            cv2.line(patch, start, end, OUTLINE, thickness + 2, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.line(patch, start, end, colour, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    return draw


def _point(colour: Colour, width: float) -> Draw:
    radius = 1.2 * width + 0.5
    outline = 1.0 if width > THIN else 0.5

    def draw(patch: Image, points: NDArray[np.int32]) -> None:
        (centre,) = points.tolist()
        for grown, paint in ((radius + outline, OUTLINE), (radius, colour)):
            cv2.circle(patch, centre, round(grown * 2**SUBPIXEL_BITS), paint, -1, cv2.LINE_AA, SUBPIXEL_BITS)

    return draw


def _blend(canvas: Image, points: FloatArray, alpha: float, reach: float, draw: Draw) -> None:
    """Draws with opacity alpha, touching only the part of the canvas within reach of the points."""
    if alpha <= 0:
        return
    if alpha >= 1:
        draw(canvas, _fixed_point(points))
        return
    height, width = canvas.shape[:2]
    low = np.maximum(np.floor(points.min(axis=0) - reach).astype(int) - MARGIN, 0)
    high = np.minimum(np.ceil(points.max(axis=0) + reach).astype(int) + MARGIN, (width, height))
    if (high <= low).any():
        return
    region = canvas[low[1] : high[1], low[0] : high[0]]
    patch = region.copy()
    draw(patch, _fixed_point(points - low))
    region[:] = cv2.addWeighted(patch, alpha, region, 1 - alpha, 0)


def _fixed_point(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.round(points * 2**SUBPIXEL_BITS).astype(np.int32)


def _draw_box(canvas: Image, box: FloatArray, colour: Colour, width: int) -> None:
    x0, y0, x1, y1 = np.round(box).astype(int).tolist()
    cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, width, cv2.LINE_AA)


def _draw_label(canvas: Image, text: str, box: FloatArray, colour: Colour) -> None:
    """The text on a plate that stands on the box, or within it where there is no room above."""
    height, width = canvas.shape[:2]
    capital = text_height(height, width)
    scale = capital / FONT_CAPITAL
    thickness = max(1, round(capital / 9))
    (text_width, _), _ = cv2.getTextSize(text, FONT, scale, thickness)
    pad = max(2, capital // 4)
    plate_width, plate_height = text_width + 2 * pad, capital + 2 * pad
    top = box[1] - plate_height if box[1] >= plate_height else box[1]
    x = round(float(np.clip(box[0], 0, max(0, width - plate_width))))
    y = round(float(np.clip(top, 0, max(0, height - plate_height))))
    cv2.rectangle(canvas, (x, y), (x + plate_width - 1, y + plate_height - 1), colour, -1)
    base = (x + pad, y + pad + capital)
    cv2.putText(canvas, text, base, FONT, scale, text_colour(colour), thickness, cv2.LINE_AA)
