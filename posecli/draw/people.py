"""Skeletons, boxes and ids on a picture."""

from __future__ import annotations

import cv2
import numpy as np

from posecli.draw.labels import draw_label
from posecli.draw.paint import MARGIN, SAFE_DISTANCE, draw_disc, fill_line, region_around, within_reach
from posecli.draw.style import (
    OUTLINE,
    Colour,
    Style,
    keypoint_colours,
    limb_colours,
    line_width,
    opacity,
    outline_width,
    track_colour,
)
from posecli.formats.base import NO_TRACK, box_around
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Image, Poses

LIMB = 1.35  # width of a limb, in line widths
JOINT = 1.3  # radius of a joint, in line widths


def draw_poses(image: Image, poses: Poses, skeleton: Skeleton, style: Style | None = None) -> Image:
    """A copy of the picture with the people on it.

    Limbs are orange on the person's left and blue on the right, or in the track's colour, lighter on the left;
    boxes and ids have a colour of the track's own. Keypoints of low score are faint, and those below
    style.min_score are left out.

    Args:
        image: (height, width, 3) RGB uint8.
        poses: the people, in the picture's pixels.
        skeleton: the order of their keypoints.
    """
    canvas = np.array(image, np.uint8, order="C")
    draw_on(canvas, poses, skeleton, style or Style())
    return canvas


def draw_on(canvas: Image, poses: Poses, skeleton: Skeleton, style: Style) -> None:
    """The same on the picture itself."""
    boxes = _boxes(poses)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    # Large people first, so that small ones are not hidden by them.
    for i in np.argsort(-areas, kind="stable").tolist():
        width = line_width(boxes[i], *canvas.shape[:2])
        track_id = int(poses.tracks.ids[i])
        if style.boxes:
            _draw_box(canvas, boxes[i], track_colour(track_id), max(1, round(width / 2)))
        _draw_person(canvas, poses.keypoints[i], poses.scores[i], skeleton, style, width, track_id)
    for box, track_id in zip(boxes, poses.tracks.ids.tolist(), strict=True):
        label = style.names.get(track_id, str(track_id) if style.ids else "")
        if label and track_id != NO_TRACK:
            draw_label(canvas, label, box, track_colour(track_id))


def _boxes(poses: Poses) -> FloatArray:
    """(n, 4): the people's boxes, and the extent of the keypoints of those who have none."""
    boxes = poses.tracks.xyxy
    is_box = np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    drawn = np.where(is_box[:, None], boxes, box_around(poses.keypoints))
    return drawn.clip(-SAFE_DISTANCE, SAFE_DISTANCE)


def _draw_person(
    canvas: Image,
    keypoints: FloatArray,
    scores: FloatArray,
    skeleton: Skeleton,
    style: Style,
    width: float,
    track_id: int,
) -> None:
    opacities = [
        opacity(float(score), style.min_score) if within_reach(point) else 0.0
        for point, score in zip(keypoints, scores, strict=True)
    ]
    limbs = limb_colours(skeleton, style.colour_by, track_id)
    for (a, b), colour in zip(skeleton.limb_indices, limbs, strict=True):
        _draw_limb(canvas, keypoints[[a, b]], min(opacities[a], opacities[b]), width, colour)
    for i, colour in enumerate(keypoint_colours(skeleton, style.colour_by, track_id)):
        if opacities[i] > 0:
            draw_disc(canvas, keypoints[i], JOINT * width, outline_width(width), colour, opacities[i])


def _draw_limb(canvas: Image, ends: FloatArray, alpha: float, width: float, colour: Colour) -> None:
    """With opacity alpha, touching only the part of the canvas that the limb is in."""
    thickness, outline = LIMB * width, outline_width(width)
    region = region_around(canvas, ends, thickness + outline + MARGIN) if alpha > 0 else None
    if region is None:
        return
    corner, below = region
    patch = below if alpha >= 1 else below.copy()
    fill_line(patch, ends - corner, thickness + 2 * outline, OUTLINE)
    fill_line(patch, ends - corner, thickness, colour)
    if alpha < 1:
        cv2.addWeighted(patch, alpha, below, 1 - alpha, 0, dst=patch)
        below[:] = patch


def _draw_box(canvas: Image, box: FloatArray, colour: Colour, width: int) -> None:
    x0, y0, x1, y1 = np.round(box).astype(int).tolist()
    cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, width, cv2.LINE_AA)
