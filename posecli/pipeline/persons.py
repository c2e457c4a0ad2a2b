"""Which of the people are wanted: the largest of each frame, the one seen longest, or one id.

The one seen longest is known at the end only. Until then all poses lie in temporary files: memory does not grow.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from posecli.errors import UsageError
from posecli.pipeline.sections import Section
from posecli.types import IntArray, Poses

LARGEST, LONGEST = "largest", "longest"
SPOOLED_FRAMES = 256  # of one temporary file


def check_person(wish: str) -> None:
    """Whether --person can be this.

    Raises:
        UsageError: it is neither of the two words, nor an id.
    """
    if wish not in (LARGEST, LONGEST) and not (wish.isascii() and wish.isdigit()):
        raise UsageError(f"--person {wish}: give {LARGEST}, {LONGEST} or a track's id, such as 1")


def keep_person(poses: Iterable[Poses], wish: str) -> Iterator[Poses]:
    """The same frames, with one person at most.

    Args:
        wish: "largest", by the area of the box, frame by frame; "longest", whoever is on most frames (of equals the
            lower id); or an id.
    """
    check_person(wish)
    if wish == LARGEST:
        return map(_largest, poses)
    if wish == LONGEST:
        return _longest(poses)
    return (_only(frame, np.flatnonzero(frame.tracks.ids == int(wish))) for frame in poses)


def _largest(poses: Poses) -> Poses:
    if len(poses) < 2:
        return poses
    sizes = poses.tracks.xyxy[:, 2:] - poses.tracks.xyxy[:, :2]
    return _only(poses, np.array([sizes.prod(axis=1).argmax()]))


def _longest(poses: Iterable[Poses]) -> Iterator[Poses]:
    seen: Counter[int] = Counter()
    with tempfile.TemporaryDirectory(prefix="posecli-") as folder:
        files: list[Path] = []
        remaining = iter(poses)
        while frames := list(islice(remaining, SPOOLED_FRAMES)):
            for frame in frames:
                seen.update(set(frame.tracks.ids.tolist()))
            files.append(Path(folder) / f"{len(files)}.npz")
            files[-1].write_bytes(Section(frames[0].frame_index, frames, []).to_bytes())
        longest = min(seen, key=lambda track_id: (-seen[track_id], track_id), default=0)
        for file in files:
            for frame in Section.read(file).poses:
                yield _only(frame, np.flatnonzero(frame.tracks.ids == longest))


def _only(poses: Poses, rows: IntArray) -> Poses:
    return replace(
        poses, tracks=poses.tracks[rows], keypoints=poses.keypoints[rows], scores=poses.scores[rows]
    )
