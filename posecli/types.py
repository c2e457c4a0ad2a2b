"""The few containers that flow through everything.

Coordinates are pixels of the displayed video (after rotation), x right and y down, with pixel centres at integers.
Boxes are (x0, y0, x1, y1) with width x1 - x0. Images are RGB, uint8, (height, width, 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), RGB
FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture of a video."""

    index: int  # from 0, in display order
    time_s: float  # presentation time, seconds from the start of the stream
    image: Image
    pts: int | None = None  # presentation timestamp in units of the stream's time base
    name: str | None = None  # file name, when the source is a set of pictures


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before it is decoded."""

    path: str
    width: int  # pixels, after rotation
    height: int
    frame_rate: float | None  # average, frames a second; None where there is none (pictures)
    time_base: str | None  # "1/90000"; None where there is none
    frame_count: int | None  # the container's word, not a promise; None if unknown


@dataclass(frozen=True, slots=True)
class Boxes:
    """Detections on one picture."""

    xyxy: FloatArray  # (n, 4) pixels
    scores: FloatArray  # (n,) 0..1

    @classmethod
    def empty(cls) -> Boxes:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, keep: Any) -> Boxes:
        return Boxes(self.xyxy[keep], self.scores[keep])


@dataclass(frozen=True, slots=True)
class Tracks:
    """Boxes of one picture that carry identities."""

    ids: IntArray  # (n,) from 1; the same person keeps its id over the clip
    xyxy: FloatArray  # (n, 4) pixels
    scores: FloatArray  # (n,) the detector's score, 0..1

    @classmethod
    def empty(cls) -> Tracks:
        return cls(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, keep: Any) -> Tracks:
        return Tracks(self.ids[keep], self.xyxy[keep], self.scores[keep])


@dataclass(frozen=True, slots=True)
class Poses:
    """Every person on one picture. A keypoint that could not be estimated is NaN with score NaN."""

    frame_index: int
    time_s: float
    tracks: Tracks  # (n people)
    keypoints: FloatArray  # (n, K, 2) pixels
    scores: FloatArray  # (n, K) 0..1
    name: str | None = None  # the picture's file name, when the source is a set of pictures

    @classmethod
    def empty(cls, frame_index: int, time_s: float, num_keypoints: int, name: str | None = None) -> Poses:
        no_points = np.zeros((0, num_keypoints, 2), np.float32)
        return cls(frame_index, time_s, Tracks.empty(), no_points, no_points[..., 0], name)

    def __len__(self) -> int:
        return len(self.tracks)


@dataclass(frozen=True, slots=True)
class SmoothedPoses(Poses):
    """Poses after filters, and what they were before; the arrays are always there."""

    raw_keypoints: FloatArray = field(kw_only=True)  # (n, K, 2) pixels, NaN where there was nothing
    raw_scores: FloatArray = field(kw_only=True)  # (n, K) 0..1
    filled: BoolArray = field(kw_only=True)  # (n, K) interpolated
    measures: dict[str, NDArray[np.float64]] = field(
        kw_only=True, default_factory=dict
    )  # (n, K) by name: angle, speed


@dataclass(frozen=True, slots=True)
class Recording:
    """The poses of a whole video, as read from a file."""

    video: VideoInfo
    skeleton: str  # a name in posecli.skeletons.SKELETONS
    frames: list[Poses]  # in order of frame_index, people or not
    provenance: dict[str, Any] = field(default_factory=dict)
