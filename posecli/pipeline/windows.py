"""Windows of consecutive frames over a stream, and the crops of every person in them.

A window has as many frames as the model reads. The model answers for some of them (the middle one, or all): windows
follow each other so that every frame is answered for exactly once. Where a clip ends, the nearest frame is repeated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from posecli.geometry.crop import Affine, CropBox, crop_affine, warp
from posecli.types import FloatArray, Frame, Image, Tracks

Tracked = tuple[Frame, Tracks]
# Lays windows of `length` frames over a stream; `outputs` are the positions that the model answers for.
Slide = Callable[[Iterable[Tracked], int, tuple[int, ...]], Iterator["Window"]]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames, and which of them are to be answered for."""

    frames: list[Tracked]  # as many as the model reads; ends are filled with the nearest frame
    answered: tuple[int, ...]  # positions in `frames`
    first_output: int = 0  # position of the model's first output frame


@dataclass(frozen=True, slots=True)
class PersonWindow:
    """One person in one window, cut out of every frame with one affine."""

    crops: Image  # (T, height, width, 3)
    affine: Affine  # picture to crop
    frames: tuple[int, ...]  # index of each answered frame on which the person was seen
    positions: tuple[int, ...]  # and its position among the model's output frames
    rows: tuple[int, ...]  # and the person's row in that frame's tracks
    box_height: float  # of the box around the person on all answered frames, crop pixels


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


def person_windows(window: Window, size: tuple[int, int], padding: float) -> list[PersonWindow]:
    """Everyone who is seen on an answered frame of a window.

    A person's box, the same for all frames of the window, encloses it on every answered frame.

    Args:
        size: (height, width) of a crop.
        padding: how much the box is enlarged.
    """
    sightings: dict[int, list[tuple[int, int]]] = {}
    for position in window.answered:
        for row, track_id in enumerate(window.frames[position][1].ids.tolist()):
            sightings.setdefault(track_id, []).append((position, row))
    return [_person(window, seen, size, padding) for seen in sightings.values()]


def _person(
    window: Window, seen: list[tuple[int, int]], size: tuple[int, int], padding: float
) -> PersonWindow:
    boxes = np.stack([window.frames[position][1].xyxy[row] for position, row in seen])
    box = enclosing(boxes)
    affine = crop_affine(CropBox.from_xyxy(box, size, padding), size)
    return PersonWindow(
        np.stack([warp(frame.image, affine, size) for frame, _ in window.frames]),
        affine,
        tuple(window.frames[position][0].index for position, _ in seen),
        tuple(position - window.first_output for position, _ in seen),
        tuple(row for _, row in seen),
        float(affine[1, 1] * (box[3] - box[1])),
    )


def enclosing(boxes: FloatArray) -> FloatArray:
    """The smallest box (4,) around boxes (n, 4)."""
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
