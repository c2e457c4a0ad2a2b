"""What a clip suffers: motion blur, something in front, too little light. Labels stay where they are.

Training has its own, on crops (posecli.data.degrade). Those here work on whole frames, measure everything by the size
of the people, and cover with other patterns, so that no model has met them.

Shapes: K keypoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from posecli.data.clips import Clip
from posecli.data.degrade import motion_kernel, paste
from posecli.data.people import Person
from posecli.types import FloatArray, Image

BLUR_EVERY = 8  # frames from one burst to the next, on average
LONGEST_BURST = 3  # frames
BLUR = (0.08, 0.22)  # length of the smear, in sizes of a person
CROSSING = (8, 16)  # frames that a board takes to pass somebody
PAUSE = (6, 12)  # frames until the next comes
BRIGHTNESS = (0.05, 0.15)  # share of the light that is left
ELECTRONS = (20.0, 60.0)  # of a white pixel: the fewer, the noisier
READ_NOISE = 1.5  # electrons
DISPLAY_GAMMA = 2.2
WHITE = 255


class Degrader(Protocol):
    """One kind of harm, drawn for one clip."""

    def __call__(self, image: Image, index: int) -> Image:
        """The frame, worse."""
        ...

    def touches(self, index: int) -> bool:
        """Whether a frame is harmed at all."""
        ...

    def hides(self, points_K2: FloatArray, index: int) -> NDArray[np.bool_]:
        """(K,) which points of a frame, in pixels, have something in front of them."""
        ...


def size_of(person: Person) -> float:
    """The longer side of the box, pixels."""
    return float(max(person.box[2:] - person.box[:2]))


class Whole:
    """Every frame, and nothing in front: low light and compression."""

    def __call__(self, image: Image, index: int) -> Image:
        return image

    def touches(self, index: int) -> bool:
        return True

    def hides(self, points_K2: FloatArray, index: int) -> NDArray[np.bool_]:
        return np.zeros(len(points_K2), bool)


class MotionBlur(Whole):
    """A shaking camera: bursts of one to three frames, smeared along a direction that turns little within a burst."""

    def __init__(self, rng: Generator, clip: Clip) -> None:
        self._smears: dict[int, tuple[int, float]] = {}  # frame -> length in pixels, angle in degrees
        everyone = [size_of(person) for people in clip.people.values() for person in people]
        start = int(rng.integers(0, BLUR_EVERY))
        while start < clip.frame_count:
            angle = rng.uniform(0, 180)
            for index in range(start, min(start + int(rng.integers(1, LONGEST_BURST + 1)), clip.frame_count)):
                sizes = [size_of(person) for person in clip.people.get(index, ())] or everyone
                length = rng.uniform(*BLUR) * float(np.median(sizes))
                self._smears[index] = max(3, round(length)), angle + rng.normal(0, 10)
            start += BLUR_EVERY + int(rng.integers(-2, 3))

    def __call__(self, image: Image, index: int) -> Image:
        if index not in self._smears:
            return image
        kernel = motion_kernel(*self._smears[index])
        return cast(Image, cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE))

    def touches(self, index: int) -> bool:
        return index in self._smears


@dataclass(frozen=True, slots=True)
class Board:
    """Something that passes in front of a person, straight through the picture."""

    first: int  # frame
    last: int
    begin: FloatArray  # (2,) pixels: its centre on the first frame
    end: FloatArray  # and on the last one
    texture: Image

    def corner(self, index: int) -> tuple[int, int]:
        """Of its first pixel: x, y."""
        passed = (index - self.first) / max(self.last - self.first, 1)
        center = self.begin + (self.end - self.begin) * passed
        x, y = np.round(center - np.array(self.texture.shape[1::-1]) / 2).astype(int)
        return int(x), int(y)

    def covers(self, points_K2: FloatArray, index: int) -> NDArray[np.bool_]:
        if not self.first <= index <= self.last:
            return np.zeros(len(points_K2), bool)
        corner = np.array(self.corner(index))
        offset_K2 = np.round(points_K2) - corner
        return np.all((offset_K2 >= 0) & (offset_K2 < self.texture.shape[1::-1]), axis=-1)


class Occlusion:
    """Boards and poles: one after the other passes in front of each person, with pauses between."""

    def __init__(self, rng: Generator, clip: Clip) -> None:
        self._boards = [
            board for track in clip.tracks().values() for board in _boards_of(rng, track, clip.frame_count)
        ]

    def __call__(self, image: Image, index: int) -> Image:
        for board in self._on(index):
            image = paste(image, board.texture, *board.corner(index))
        return image

    def touches(self, index: int) -> bool:
        return bool(self._on(index))

    def hides(self, points_K2: FloatArray, index: int) -> NDArray[np.bool_]:
        return np.any(
            [np.zeros(len(points_K2), bool), *(b.covers(points_K2, index) for b in self._on(index))], 0
        )

    def _on(self, index: int) -> list[Board]:
        return [board for board in self._boards if board.first <= index <= board.last]


def _boards_of(rng: Generator, track: Mapping[int, Person], frame_count: int) -> list[Board]:
    """The boards that pass one person while the person is labelled."""
    boards, last = [], max(track)
    first = min(track) + int(rng.integers(0, PAUSE[0]))
    while first < last:
        stop = min(first + int(rng.integers(CROSSING[0], CROSSING[1] + 1)), frame_count - 1)
        boards.append(_board(rng, _nearest(track, first), _nearest(track, stop), first, stop))
        first = stop + int(rng.integers(PAUSE[0], PAUSE[1] + 1))
    return boards


def _board(rng: Generator, before: Person, after: Person, first: int, last: int) -> Board:
    """A board a third as large as the person, or a pole that is longer, from one side to the other."""
    size, side = size_of(before), rng.choice((-1, 1))
    is_pole = rng.random() < 0.4
    width = size * (rng.uniform(0.1, 0.18) if is_pole else rng.uniform(0.25, 0.5))
    height = size * (2.5 if is_pole else rng.uniform(0.3, 0.6))
    level = 0.0 if is_pole else rng.uniform(-0.3, 0.3)
    ends = []
    for person, towards in ((before, side), (after, -side)):
        extent = person.box[2:] - person.box[:2]
        reach = towards * (extent[0] + width) / 2
        middle = (person.box[:2] + person.box[2:]) / 2
        ends.append((middle + np.array([reach, level * extent[1]])).astype(np.float32))
    texture = pattern(rng, max(2, round(height)), max(2, round(width)))
    return Board(first, last, ends[0], ends[1], texture)


def _nearest(track: Mapping[int, Person], index: int) -> Person:
    return track[min(track, key=lambda frame: abs(frame - index))]


def pattern(rng: Generator, height: int, width: int) -> Image:
    """Stripes or checks of two colours, (height, width, 3)."""
    colours = rng.integers(0, 256, (2, 3)).astype(np.float64)
    cell = int(rng.integers(3, max(4, min(height, width))))
    y, x = np.mgrid[:height, :width] // cell
    which = rng.choice(3)
    second = (x if which == 0 else y if which == 1 else x + y) % 2
    noisy = colours[second] + rng.normal(0, 6, (height, width, 1))
    return np.clip(noisy, 0, WHITE).astype(np.uint8)


class LowLight(Whole):
    """Few electrons a pixel: shot noise and read noise in linear light, then the display's gamma."""

    def __init__(self, rng: Generator, clip: Clip) -> None:
        self._brightness, self._electrons = rng.uniform(*BRIGHTNESS), rng.uniform(*ELECTRONS)
        self._seed = int(rng.integers(0, 2**32))

    def __call__(self, image: Image, index: int) -> Image:
        rng = np.random.default_rng((self._seed, index))
        light = (image / WHITE) ** DISPLAY_GAMMA * self._electrons
        counted = rng.poisson(light) + rng.normal(0, READ_NOISE, image.shape)
        left = np.clip(counted / self._electrons, 0, None) * self._brightness
        return np.clip(WHITE * left ** (1 / DISPLAY_GAMMA), 0, WHITE).astype(np.uint8)


class Compression(Whole):
    """Left to the video's encoder (see degrade_clips)."""

    def __init__(self, rng: Generator, clip: Clip) -> None:
        pass
