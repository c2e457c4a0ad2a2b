"""Windows of consecutive frames over a stream, and the crops of every person in them.

A window has as many frames as the model reads. The model answers for some of them (the middle one, or all): windows
follow each other so that every frame is answered for exactly once. Where a clip ends, the nearest frame is repeated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from posecli.geometry.crop import Affine, box_affine, warp
from posecli.types import FloatArray, Frame, Image, Tracks

if TYPE_CHECKING:
    from posecli.nn.pose_model import EncodedWindows

Tracked = tuple[Frame, Tracks]
# Lays windows of `length` frames over a stream; `outputs` are the positions that the model answers for.
Slide = Callable[[Iterable[Tracked], int, tuple[int, ...]], Iterator["Window"]]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames, and which of them are to be answered for."""

    frames: list[Tracked]  # as many as the model reads; ends are filled with the nearest frame
    answered: tuple[int, ...]  # positions in `frames`
    first_output: int = 0  # position of the model's first output frame


@dataclass(slots=True, eq=False)
class View:
    """One person on one frame: cut out, and what the encoder made of it where that is kept."""

    crop: Image  # (height, width, 3)
    affine: Affine  # picture to crop
    encoded: EncodedWindows | None = None  # a window of this frame alone


@dataclass(frozen=True, slots=True)
class PersonWindow:
    """One person in one window, cut out of every frame."""

    views: list[View]  # T
    affine: Affine  # picture to the crop that is answered for
    frames: tuple[int, ...]  # index of each answered frame on which the person was seen
    positions: tuple[int, ...]  # and its position among the model's output frames
    rows: tuple[int, ...]  # and the person's row in that frame's tracks
    box_height: float  # of the box around the person on all answered frames, crop pixels

    @property
    def crops(self) -> Image:
        """(T, height, width, 3)."""
        return np.stack([view.crop for view in self.views])


# Cuts a person out of all frames of a window: the window, the track id, the affine of the answered frames, the crop's
# (height, width).
Cut = Callable[[Window, int, Affine, tuple[int, int]], list[View]]


def windows(stream: Iterable[Tracked], length: int, outputs: tuple[int, ...]) -> Iterator[Window]:
    """Slide over a stream.

    Args:
        stream: pictures with their tracks, in order.
        length: frames of a window.
        outputs: positions in the window that the model answers for, consecutive.
    """
    before, step = outputs[0], len(outputs)
    behind = length - before - step  # frames of context after the answered ones
    held: deque[Tracked] = deque(maxlen=length)
    received = answered = 0
    for item in stream:
        held.append(item)
        received += 1
        if received == answered + step + behind:
            yield _window(held, received, answered - before, length, outputs)
            answered += step
    while answered < received:
        yield _window(held, received, answered - before, length, outputs[: received - answered])
        answered += step


def middle_windows(stream: Iterable[Tracked], length: int, outputs: tuple[int, ...]) -> Iterator[Window]:
    """Slide by one frame: the middle one is answered for, whatever else the model answers."""
    for window in windows(stream, length, (length // 2,)):
        yield replace(window, first_output=outputs[0])


def single_frames(stream: Iterable[Tracked], length: int, outputs: tuple[int, ...]) -> Iterator[Window]:
    """Every picture by itself, repeated to a window: for pictures that are no clip."""
    for item in stream:
        yield Window([item] * length, (outputs[len(outputs) // 2],), outputs[0])


def _window(
    held: deque[Tracked], received: int, start: int, length: int, answered: tuple[int, ...]
) -> Window:
    """The window that begins at stream position `start`; positions outside the stream take the nearest frame.

    held: the last frames of the `received` ones.
    """
    oldest = received - len(held)
    positions = (min(max(start + i, 0), received - 1) for i in range(length))
    return Window([held[position - oldest] for position in positions], answered, answered[0])


def cut_anew(window: Window, track_id: int, affine: Affine, size: tuple[int, int]) -> list[View]:
    """Out of every frame with the same affine."""
    return [View(warp(frame.image, affine, size), affine) for frame, _ in window.frames]


def person_windows(
    window: Window, size: tuple[int, int], padding: float, cut: Cut = cut_anew
) -> list[PersonWindow]:
    """Everyone who is seen on an answered frame of a window.

    A person's box encloses it on every answered frame.

    Args:
        size: (height, width) of a crop.
        padding: how much the box is enlarged.
        cut: makes the crops.
    """
    sightings: dict[int, list[tuple[int, int]]] = {}
    for position in window.answered:
        for row, track_id in enumerate(window.frames[position][1].ids.tolist()):
            sightings.setdefault(track_id, []).append((position, row))
    return [_person(window, track_id, seen, size, padding, cut) for track_id, seen in sightings.items()]


def _person(
    window: Window,
    track_id: int,
    seen: list[tuple[int, int]],
    size: tuple[int, int],
    padding: float,
    cut: Cut,
) -> PersonWindow:
    box = enclosing(np.stack([window.frames[position][1].xyxy[row] for position, row in seen]))
    affine = box_affine(box, size, padding)
    return PersonWindow(
        cut(window, track_id, affine, size),
        affine,
        tuple(window.frames[position][0].index for position, _ in seen),
        tuple(position - window.first_output for position, _ in seen),
        tuple(row for _, row in seen),
        float(affine[1, 1] * (box[3] - box[1])),
    )


def enclosing(boxes: FloatArray) -> FloatArray:
    """The smallest box (4,) around boxes (n, 4)."""
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
