"""Trails: where a joint was during the last frames, fading out backwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from posecli.draw.paint import MARGIN, fill_line, paint, region_around, within_reach
from posecli.draw.style import Colour, Style, keypoint_colours, line_width
from posecli.errors import UsageError
from posecli.formats.base import NO_TRACK
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Image, Poses

LONGEST = 10_000  # frames
STRONGEST = 0.9  # opacity where the joint is now
THINNEST = 0.35  # of the line's width, at the trail's end

Place = FloatArray | None  # (2,) pixels; None on a frame where the joint is not seen


def read_trails(texts: Sequence[str], skeleton: Skeleton) -> dict[str, int]:
    """Joint -> frames.

    Args:
        texts: joint:frames, several separated by commas.

    Raises:
        UsageError: it is no joint of the skeleton, or no number of frames.
    """
    trails = {}
    for text in ",".join(texts).split(","):
        joint, _, frames = text.strip().partition(":")
        if joint not in skeleton.keypoints:
            known = ", ".join(skeleton.keypoints)
            raise UsageError(f"--trails {text.strip()}: no such joint; these poses have {known}")
        if not (frames.isascii() and frames.isdigit() and 2 <= int(frames[:9]) <= LONGEST):
            raise UsageError(
                f"--trails {text.strip()}: write {joint}:30 for a trail of 30 frames (2 to {LONGEST})"
            )
        trails[joint] = int(frames)
    return trails


class Trails:
    """The trails of everyone in a clip.

    Args:
        lengths: joint -> frames that its trail reaches back.
    """

    def __init__(self, lengths: Mapping[str, int], skeleton: Skeleton, style: Style) -> None:
        self._lengths = {skeleton.index(joint): frames for joint, frames in lengths.items()}
        self._skeleton = skeleton
        self._style = style
        self._places: dict[tuple[int, int], deque[Place]] = {}  # of a track's joint, the newest last
        self._widths: dict[int, float] = {}

    def draw(self, canvas: Image, poses: Poses | None) -> None:
        """Adds the next frame's people, and draws all trails as they are then.

        Args:
            canvas: (height, width, 3), drawn on.
            poses: in the canvas's pixels; None where nothing is known of the frame.
        """
        self._add(poses, *canvas.shape[:2])
        for (track_id, joint), places in self._places.items():
            colour = keypoint_colours(self._skeleton, self._style.colour_by, track_id)[joint]
            self._draw(canvas, list(places), self._lengths[joint], self._widths[track_id], colour)

    def _add(self, poses: Poses | None, height: int, width: int) -> None:
        now: dict[tuple[int, int], Place] = {}
        for i, track_id in enumerate(poses.tracks.ids.tolist() if poses else []):
            if poses is None or track_id == NO_TRACK:
                continue
            self._widths[track_id] = line_width(poses.tracks.xyxy[i], height, width)
            for joint in self._lengths:
                if poses.scores[i, joint] >= self._style.min_score and within_reach(
                    poses.keypoints[i, joint]
                ):
                    now[track_id, joint] = poses.keypoints[i, joint]
        for key in now.keys() - self._places.keys():
            self._places[key] = deque(maxlen=self._lengths[key[1]])
        for key, places in list(self._places.items()):
            places.append(now.get(key))
            if all(place is None for place in places):
                del self._places[key]

    def _draw(self, canvas: Image, places: list[Place], length: int, width: float, colour: Colour) -> None:
        seen = np.array([place for place in places if place is not None])
        region = region_around(canvas, seen, width + MARGIN)
        if region is None:
            return
        corner, patch = region
        mask: NDArray[np.uint8] = np.zeros(patch.shape[:2], np.uint8)
        oldest = length - len(places)
        for i, (start, end) in enumerate(pairwise(places), start=oldest + 2):
            if start is None or end is None:
                continue
            share = i / length  # 1 where the joint is now
            ends = np.stack([start, end]) - corner
            thickness = width * (THINNEST + (1 - THINNEST) * share)
            fill_line(mask, ends, thickness, round(255 * STRONGEST * share))
        paint(patch, colour, mask)
