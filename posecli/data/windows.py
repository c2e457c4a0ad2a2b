"""Training windows: a person over a few consecutive frames, cut out with one box and one draw of augmentation.

Three kinds of windows: real ones from labelled footage, stills set in motion by a moving camera, and rendered scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from posecli.data.augment import NO_AUGMENTATION, Augmentation, draw
from posecli.data.crops import StillPeople, inside
from posecli.data.degrade import Degradation, degrade
from posecli.data.footage import Footage
from posecli.data.people import Person
from posecli.data.recent import RecentPictures
from posecli.data.rendered import RenderedScenes
from posecli.geometry.crop import Affine, apply_affine, warp
from posecli.skeletons import COCO, Skeleton
from posecli.types import FloatArray, Image

MIN_SIDE = 1.0  # pixels


@dataclass(frozen=True, slots=True)
class RawWindow:
    """A person over consecutive frames, before cropping."""

    images: list[Image]
    motions: list[Affine]  # of each frame: picture pixels to the frame's, for pictures set in motion
    box: FloatArray  # (4,) around the person on all frames
    keypoints: FloatArray  # (T, K, 2) pixels of each frame
    weights: FloatArray  # (T, K) 0: no label
    group: str


@dataclass(frozen=True, slots=True)
class WindowSample:
    """One training or validation sample."""

    images: Image  # (T, height, width, 3)
    keypoints: FloatArray  # (T, K, 2) crop pixels
    weights: FloatArray  # (T, K)
    box_heights: FloatArray  # (T,) of the person, crop pixels
    group: str


class WindowSource(Protocol):
    """Random access to windows."""

    def __len__(self) -> int: ...

    def load(self, index: int, rng: Generator) -> RawWindow: ...


class SequenceWindows:
    """A person of labelled footage over a few frames around a label. What is missing at a sequence's ends is its
    nearest frame.

    Args:
        sequences: the footage.
        length: frames of a window (T).
        strides: how many frames apart they lie; one is drawn each time, so that motion comes in several speeds.
        step: every step-th label of a track has a window.
        keyframe: the window lies around its label (frame T // 2 of it), and the label's box is the window's box, as
            the paper has it; else it begins there, and its box lies around the person on all its labelled frames.
        min_keypoints: labels with fewer keypoints have no window, nor have those with a box under MIN_SIDE.
        group: what PCK is reported by; None: each sequence by its name.
        recent: the decoded pictures to keep.
    """

    def __init__(
        self,
        sequences: Sequence[Footage],
        length: int,
        strides: tuple[int, ...] = (1,),
        step: int = 1,
        *,
        keyframe: bool = False,
        min_keypoints: int = 1,
        group: str | None = None,
        recent: RecentPictures | None = None,
    ) -> None:
        self._sequences, self._length, self._strides = sequences, length, strides
        self._keyframe, self._group = keyframe, group
        self._recent = RecentPictures() if recent is None else recent
        chosen = [
            (number, *label)
            for number, sequence in enumerate(sequences)
            for track in _labels_by_track(sequence, min_keypoints)
            for label in track[::step]
        ]
        self._labels_n3 = np.array(chosen, np.int32).reshape(-1, 3)  # sequence, place, person at that place

    def __len__(self) -> int:
        return len(self._labels_n3)

    def key(self, index: int) -> tuple[int, int, int]:
        """(sequence, place in it, person at that place) of a window's label."""
        number, place, position = self._labels_n3[index].tolist()
        return number, place, position

    def load(self, index: int, rng: Generator) -> RawWindow:
        number, place, position = self.key(index)
        sequence = self._sequences[number]
        person = sequence.people[place][position]
        stride = int(rng.choice(self._strides))
        first = place - stride * (self._length // 2) if self._keyframe else place
        wanted = np.clip(first + stride * np.arange(self._length), 0, len(sequence) - 1).tolist()
        images = [self._recent.get((number, i), partial(sequence.image, i)) for i in wanted]
        people = [person if i == place else _find(sequence, i, person.track_id) for i in wanted]
        raw = _raw_window(images, people, sequence.name if self._group is None else self._group)
        return replace(raw, box=person.box) if self._keyframe else raw


def _labels_by_track(sequence: Footage, min_keypoints: int) -> list[list[tuple[int, int]]]:
    """(place, person at that place) of each track's labels, in order."""
    tracks: dict[int, list[tuple[int, int]]] = {}
    for place, people in sorted(sequence.people.items()):
        for position, person in enumerate(people):
            if _has_area(person) and not person.crowd and person.labelled.sum() >= min_keypoints:
                tracks.setdefault(person.track_id, []).append((place, position))
    return list(tracks.values())


def _find(sequence: Footage, place: int, track_id: int) -> Person | None:
    """The person of a track at a place, if labelled there."""
    people = sequence.people.get(place, ())
    return next((p for p in people if p.track_id == track_id and not p.crowd and _has_area(p)), None)


def _has_area(person: Person) -> bool:
    """Whether there is anything to cut out: a box made around a single joint is a point."""
    return bool(np.all(person.box[2:] - person.box[:2] >= MIN_SIDE))


def _raw_window(images: list[Image], people: list[Person | None], group: str) -> RawWindow:
    """A window of frames; None where the person is not labelled."""
    seen = [person for person in people if person is not None]
    boxes = np.stack([person.box for person in seen])
    blank = np.zeros_like(seen[0].keypoints)
    return RawWindow(
        images,
        [_IDENTITY] * len(images),
        np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)]),
        np.stack([blank if person is None else person.keypoints for person in people]),
        np.stack([blank[:, 0] if person is None else person.labelled for person in people]),
        group,
    )


_IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraMotion:
    """How a still is set in motion: standard deviations over a whole window, in units of the person's box."""

    shift: float = 0.06
    turn: float = 4.0  # degrees
    zoom: float = 0.04


class MovingStills:
    """People of stills under a camera that moves evenly."""

    def __init__(self, people: StillPeople, length: int, motion: CameraMotion | None = None) -> None:
        self._people, self._length, self._motion = people, length, motion or CameraMotion()

    def __len__(self) -> int:
        return len(self._people)

    def load(self, index: int, rng: Generator) -> RawWindow:
        image, person, group = self._people.load(index, rng)
        side = float(max(person.box[2:] - person.box[:2]))
        center = (person.box[:2] + person.box[2:]) / 2
        drift = self._motion.shift * side * rng.standard_normal(2)
        turn, zoom = self._motion.turn * rng.standard_normal(), self._motion.zoom * rng.standard_normal()
        moments = np.linspace(-0.5, 0.5, self._length)
        motions = [_similarity(center, turn * t, 1 + zoom * t, drift * t) for t in moments]
        keypoints = np.stack([apply_affine(motion, person.keypoints) for motion in motions])
        weights = np.repeat(person.labelled[None], self._length, 0)
        return RawWindow(
            [image] * self._length, motions, person.box, keypoints.astype(np.float32), weights, group
        )


def _similarity(
    center: NDArray[np.floating], turn: float, zoom: float, shift: NDArray[np.floating]
) -> Affine:
    """Turn (degrees) and zoom about a centre, then shift."""
    cos, sin = np.cos(np.deg2rad(turn)) * zoom, np.sin(np.deg2rad(turn)) * zoom
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, center + shift - linear @ center])


class RenderedWindows:
    """A person of a rendered scene over a moment."""

    def __init__(self, scenes: RenderedScenes, length: int, frame_rate: float = 24.0) -> None:
        self._scenes, self._length, self._frame_rate = scenes, length, frame_rate

    def __len__(self) -> int:
        return len(self._scenes)

    def load(self, index: int, rng: Generator) -> RawWindow:
        images, people = self._scenes.film(index, rng, self._length, self._frame_rate)
        return _raw_window(images, people, "synthetic")


def make_window(
    raw: RawWindow,
    size: tuple[int, int],
    rng: Generator,
    augmentation: Augmentation = NO_AUGMENTATION,
    degradation: Degradation | None = None,
    skeleton: Skeleton = COCO,
) -> WindowSample:
    """Cut a window's person out of all its frames, with one draw.

    Args:
        size: (height, width) of the crops.
        degradation: what may happen to single frames; None for nothing.
    """
    middle = len(raw.images) // 2
    drawn = draw(rng, augmentation, raw.box, raw.keypoints[middle], raw.weights[middle], skeleton, size)
    affine = drawn.affine(size)
    crops = [
        drawn.recolor(warp(image, _compose(affine, motion), size))
        for image, motion in zip(raw.images, raw.motions, strict=True)
    ]
    if degradation is not None:
        crops = degrade(rng, crops, degradation)
    keypoints = apply_affine(affine, raw.keypoints)
    weights = raw.weights
    if drawn.mirror:
        keypoints, weights = keypoints[:, skeleton.flip], weights[:, skeleton.flip]
    weights = weights * inside(keypoints, size)
    height = float(raw.box[3] - raw.box[1]) * (size[0] - 1) / drawn.box.height
    heights = np.full(len(crops), height, np.float32)
    return WindowSample(
        np.stack(crops), keypoints.astype(np.float32), weights.astype(np.float32), heights, raw.group
    )


def _compose(outer: Affine, inner: Affine) -> Affine:
    """The affine that does `inner` first."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])
