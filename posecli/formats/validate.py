"""What is wrong with a file of poses, entry by entry, without holding it in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from posecli.errors import PosecliError
from posecli.formats.base import NO_TRACK, repeated
from posecli.formats.raw import check_kept
from posecli.formats.registry import open_poses, recognise
from posecli.types import Poses


@dataclass(slots=True)
class Validation:
    """What was found in a file."""

    format: str = ""  # nothing where it is in no known format
    frames: int = 0
    people: int = 0
    problems: list[str] = field(default_factory=list)  # each with the file and the place
    is_cut: bool = False  # whether there may be more


def validate(path: Path, format: str | None = None, *, most: int = 20) -> Validation:
    """Reads all of a file and notes what is wrong, instead of stopping at the first problem.

    Of a file of smoothed poses, the raw ones beside them too.

    Besides what reading it demands: nobody is twice on a picture, boxes have no negative size, and time does not
    run backwards.

    Args:
        format: a name in FORMATS; None: the file's contents tell which it is.
        most: how many problems are noted.
    """
    problems = _Problems(most)
    found = Validation()
    try:
        with problems.entry():
            found.format = format or recognise(path)
            last = -np.inf
            for poses in open_poses(path, found.format, entry=problems.entry).poses:
                found.frames += 1
                found.people += len(poses)
                for problem in _problems_of(poses, last):
                    problems.add(f"{path}: frame {poses.frame_index}: {problem}")
                last = max(last, poses.time_s) if np.isfinite(poses.time_s) else last
            check_kept(path, found.format, problems.entry)
    except _EnoughError:
        found.is_cut = True
    found.problems = list(problems.messages)
    return found


class _EnoughError(Exception):
    """There are as many problems as were asked for."""


class _Problems:
    def __init__(self, most: int) -> None:
        self.messages: dict[str, None] = {}  # each once, in order
        self._most = most

    def add(self, message: str) -> None:
        if message in self.messages:
            return
        if len(self.messages) == self._most:
            raise _EnoughError
        self.messages[message] = None

    @contextmanager
    def entry(self) -> Iterator[None]:
        """A block whose PosecliError is noted and swallowed."""
        try:
            yield
        except PosecliError as error:
            self.add(str(error))


def _problems_of(poses: Poses, last_time: float) -> Iterator[str]:
    ids = poses.tracks.ids
    if (track_id := repeated(ids[ids != NO_TRACK])) is not None:
        yield f"two people have track id {track_id}"
    for track_id, (x0, y0, x1, y1) in zip(ids.tolist(), poses.tracks.xyxy.tolist(), strict=True):
        if x1 < x0 or y1 < y0:
            yield f"track {track_id}: the box is {x1 - x0:g} wide and {y1 - y0:g} high"
    if poses.time_s < last_time:
        yield f"time runs backwards, from {last_time:g} s to {poses.time_s:g} s"
