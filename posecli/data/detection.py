"""Training pictures for the person detector: whole pictures, randomly scaled, placed, mirrored and coloured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from posecli.data.augment import Augmentation, Draw, draw
from posecli.data.people import Person
from posecli.geometry.crop import BOX_PADDING, Affine, CropBox, apply_affine, warp
from posecli.skeletons import COCO
from posecli.types import FloatArray, Image

# A box of which the crop shows less than this share is neither a person nor background.
MIN_VISIBLE = 0.35
BORDER = 114  # grey beyond the picture, as the detector pads
PERSON_IN_VIEW = 0.8  # how often a detail is chosen for a person in it
MIN_SIDE = 6.0  # pixels; smaller people are ignored


@dataclass(frozen=True, slots=True)
class DetectionSample:
    """One training picture."""

    image: Image  # (height, width, 3)
    boxes: FloatArray  # (n, 4) xyxy, people to find
    confidence: FloatArray  # (n,) 0..1, that somebody is there
    ignored: FloatArray  # (m, 4) xyxy, regions where nothing is learnt


def make_detection_sample(
    image: Image,
    people: tuple[Person, ...],
    size: tuple[int, int],
    rng: Generator,
    augmentation: Augmentation,
) -> DetectionSample:
    """A picture fitted into `size` (height, width) and augmented; people who leave it are cut off or ignored."""
    view = _view(rng, image.shape[:2], people, size, augmentation.view)
    drawn = _place(
        draw(rng, augmentation, view, np.zeros((17, 2), np.float32), np.zeros(17, np.float32), COCO, size)
    )
    affine = drawn.affine(size)
    crop = drawn.recolor(warp(image, affine, size, BORDER))
    boxes = np.array([person.box for person in people], np.float32).reshape(-1, 4)
    crowd = np.array([person.crowd for person in people], bool)
    confidence = np.array([person.confidence for person in people], np.float32)
    mapped = map_boxes(affine, boxes)
    clipped = clip_boxes(mapped, size)
    visible = _area(clipped) / np.maximum(_area(mapped), 1e-6)
    usable = (visible >= MIN_VISIBLE) & (
        np.min(clipped[:, 2:] - clipped[:, :2], axis=1, initial=np.inf) >= MIN_SIDE
    )
    keep = usable & ~crowd
    seen = _area(clipped) > 0
    return DetectionSample(crop, clipped[keep], confidence[keep], clipped[~keep & seen])


def _view(
    rng: Generator,
    shape: tuple[int, ...],
    people: tuple[Person, ...],
    size: tuple[int, int],
    share: tuple[float, float],
) -> FloatArray:
    """The part of the picture to show, xyxy: the whole, more than that, or a detail that mostly has a person in it."""
    height, width = shape[0] - 1.0, shape[1] - 1.0
    whole = np.array([0, 0, width, height], np.float32)
    low, high = share
    if low == high == 1:
        return whole
    zoom = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    # As large as the whole picture in this aspect, times the zoom.
    fit = max(width / size[1], height / size[0])
    half = np.array([size[1], size[0]]) * fit * zoom / 2
    extent = np.array([width, height])
    target = rng.uniform(0, 1, 2) * extent
    if people and rng.random() < PERSON_IN_VIEW:
        box = people[rng.integers(len(people))].box
        target = box[:2] + rng.uniform(0, 1, 2) * (box[2:] - box[:2])
    # The view stays on the picture where it is smaller, and has the picture in it where it is larger.
    bounds = np.sort(np.stack([half, extent - half]), axis=0)
    center = np.clip(target + rng.uniform(-0.5, 0.5, 2) * half, bounds[0], bounds[1])
    return np.concatenate([center - half, center + half]).astype(np.float32)


def _place(drawn: Draw) -> Draw:
    """The same draw around the whole picture without the margin that a person's crop gets."""
    box = drawn.box
    box = CropBox(box.center_x, box.center_y, box.width / BOX_PADDING, box.height / BOX_PADDING)
    return Draw(box, drawn.rotation, drawn.mirror, drawn.gain, drawn.offset, drawn.blur)


def map_boxes(affine: Affine, boxes: FloatArray) -> FloatArray:
    """The upright boxes around boxes (n, 4) that an affine moved."""
    x0, y0, x1, y1 = boxes.T
    corners = np.stack(
        [np.stack([x0, y0], -1), np.stack([x1, y0], -1), np.stack([x0, y1], -1), np.stack([x1, y1], -1)]
    )
    moved = apply_affine(affine, corners)
    return np.concatenate([moved.min(0), moved.max(0)], -1).astype(np.float32)


def clip_boxes(boxes: FloatArray, size: tuple[int, int]) -> FloatArray:
    """boxes (n, 4) cut to a picture of `size` (height, width)."""
    limit = np.array([size[1] - 1, size[0] - 1] * 2, np.float32)
    return np.clip(boxes, 0, limit)


def _area(boxes: FloatArray) -> FloatArray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
