"""Trackers: who is who from one picture to the next.

The algorithms are those of the `trackers` package (Apache-2.0): ByteTrack (Zhang et al., ECCV 2022), OC-SORT
(Cao et al., CVPR 2023) and BoT-SORT (Aharon et al., 2022). This module sets them up for small person
detectors, whose scores are low next to those of the benchmarks they were tuned on, and gives a person its
identity on the first picture it is seen on. docs/tracking.md has the measurements behind the defaults.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal, Protocol, get_args

import numpy as np

from posecli.detect.camera import still
from posecli.detect.eyes import Eyes, OpenEyes
from posecli.detect.relink import MEMORY_SECONDS, Relinker
from posecli.errors import UsageError
from posecli.types import Boxes, FloatArray, Frame, Image, Tracks

TrackerName = Literal["bytetrack", "ocsort", "botsort", "none"]
TRACKER_NAMES: tuple[TrackerName, ...] = get_args(TrackerName)
DEFAULT_TRACKER: TrackerName = "botsort"

DEFAULT_THRESHOLD = 0.15  # the score from which a box counts
START_MARGIN = 0.15  # how far above the threshold a box must score to start a track
LOST_SECONDS = 1.0  # how long a person may be out of sight and still be recognised
NOMINAL_FRAME_RATE = (
    30.0  # for sources that have none (pictures), and the unit of the package's lost_track_buffer
)


class Tracker(Protocol):
    """Gives the boxes of consecutive pictures identities."""

    def update(self, boxes: Boxes, frame: Frame) -> Tracks:
        """The people among the next picture's boxes, by id. Ids count from 1 in order of appearance."""

    def reset(self) -> None:
        """Forget everybody: the next picture begins another clip, and ids begin at 1 again."""


def make_tracker(
    name: str,
    frame_rate: float | None,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    lost_seconds: float = LOST_SECONDS,
) -> Tracker:
    """A tracker by its name.

    Args:
        name: one of TRACKER_NAMES. "none" never calls two boxes the same person: each gets an id of its own.
        frame_rate: of the source, pictures a second (the tracker's unit of time); None where there is none.
        threshold: the detector's. A person is somebody from threshold + START_MARGIN on; the weaker boxes only
            carry on a track that exists (with bytetrack and botsort; the others leave them out).
        lost_seconds: how long a track may go unseen before motion alone no longer brings it back.

    Raises:
        UsageError: there is no tracker of this name.
    """
    if name not in TRACKER_NAMES:
        raise UsageError(f"unknown tracker {name!r}: choose one of {', '.join(TRACKER_NAMES)}")
    start = _start_threshold(threshold)
    if name == "none":
        return NoTracker(start)
    rate = frame_rate or NOMINAL_FRAME_RATE
    memory_s = max(MEMORY_SECONDS, lost_seconds)
    return PackageTracker(_package_tracker(name, rate, start, lost_seconds), rate, start, memory_s)


def _start_threshold(threshold: float) -> float:
    # Halfway to 1 where the margin would leave no score that could start a track.
    return min(threshold + START_MARGIN, (threshold + 1) / 2)


def _package_tracker(name: str, frame_rate: float, start: float, lost_seconds: float) -> Any:
    # Imported late: the package brings scipy, cv2 and matplotlib along.
    import trackers

    common: dict[str, Any] = {
        "frame_rate": frame_rate,
        "lost_track_buffer": round(lost_seconds * NOMINAL_FRAME_RATE),
        "minimum_consecutive_frames": 1,
        "high_conf_det_threshold": start,
    }
    if name == "ocsort":
        return trackers.OCSORTTracker(minimum_iou_threshold=0.3, **common)
    if name == "bytetrack":
        return trackers.ByteTrackTracker(
            track_activation_threshold=start, minimum_iou_threshold=0.3, **common
        )
    # BoT-SORT compares IoU times score: the package's 0.2 would refuse an IoU of 0.45 at a score of 0.4.
    return trackers.BoTSORTTracker(
        track_activation_threshold=start, minimum_iou_threshold_first_assoc=0.1, **common
    )


class PackageTracker:
    """A tracker of the `trackers` package behind our protocol, and its lost people found again (Relinker).

    The package reports a new person from the second sighting on. Here each new person is shown to it a second
    time, at the same moment, which moves nobody and confirms the newcomer: it is reported from the first
    picture on. (False alarms that this lets in are dropped by posecli.detect.bridge, which can look ahead.)

    Args:
        tracker: the package's. One that follows the camera (BoT-SORT) is told of it by our CameraMotion, which is
            faster than its own.
        frame_rate: pictures a second.
        start: the score from which a box starts a track.
        memory_s: how long lost people are remembered, seconds.
    """

    def __init__(
        self, tracker: Any, frame_rate: float, start: float, memory_s: float = MEMORY_SECONDS
    ) -> None:
        self._tracker = tracker
        self._frame_rate = frame_rate
        self._start = start
        self._follows_camera = hasattr(tracker, "cmc")
        self.eyes: Eyes = OpenEyes()
        self._told = _ToldMotion()
        if self._follows_camera:
            tracker.cmc = self._told
        self._relinker = Relinker(memory_s, start)
        self.reset()

    def reset(self) -> None:
        self._tracker.reset()
        self.eyes.reset()
        self._relinker.reset()
        self._time_s: float | None = None

    def update(self, boxes: Boxes, frame: Frame) -> Tracks:
        self._time_s = time_s = self._advance(frame.time_s)
        if self._follows_camera:
            people = boxes.xyxy[boxes.scores >= self._start]
            self._told.motion = self.eyes.motion(frame.image, people)
        found = self._step(boxes, frame.image if self._follows_camera else None)
        new = (found.ids < 0) & (found.scores >= self._start)
        if new.any():
            seen_again = self._step(Boxes(found.xyxy[new], found.scores[new]), None)
            found = _concatenate(found[~new], seen_again)
        self._relinker.look = self.eyes.look
        return self._relinker.update(_tracked(found), frame.image, time_s, self._told.motion)

    def _advance(self, time_s: float) -> float:
        """The tracker's clock: presentation time, or one frame on where that stands still."""
        if self._time_s is None or time_s > self._time_s:
            return time_s
        return self._time_s + 1 / self._frame_rate

    def _step(self, boxes: Boxes, image: Image | None) -> Tracks:
        """The package's answer, with its own ids: -1 for a box that belongs to no track."""
        import supervision

        detections = supervision.Detections(xyxy=boxes.xyxy, confidence=boxes.scores)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*duplicate timestamp")
            found = self._tracker.update(detections, frame=image, timestamp=self._time_s)
        if not len(found):
            return Tracks.empty()
        return Tracks(
            found.tracker_id.astype(np.int64),
            found.xyxy.astype(np.float32),
            found.confidence.astype(np.float32),
        )


class _ToldMotion:
    """Stands in for the package's own estimate of the camera's motion."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.motion = still()

    def estimate(self, frame: Image, people: FloatArray | None) -> FloatArray:
        return self.motion


def _tracked(found: Tracks) -> Tracks:
    """The boxes that belong to a track, each track once, in order of the package's ids."""
    ids, rows = np.unique(found.ids, return_index=True)
    return found[rows[ids >= 0]]


def _concatenate(a: Tracks, b: Tracks) -> Tracks:
    return Tracks(
        np.concatenate([a.ids, b.ids]),
        np.concatenate([a.xyxy, b.xyxy]),
        np.concatenate([a.scores, b.scores]),
    )


class NoTracker:
    """Numbers the boxes of a clip from 1 on: no two share an id, so no identity is claimed (nor bridged).

    Args:
        min_score: boxes below it are left out: there is no track that they could carry on.
    """

    def __init__(self, min_score: float = 0.0) -> None:
        self._min_score = min_score
        self.reset()

    def reset(self) -> None:
        self._count = 0

    def update(self, boxes: Boxes, frame: Frame) -> Tracks:
        boxes = boxes[boxes.scores >= self._min_score]
        ids = np.arange(self._count + 1, self._count + 1 + len(boxes), dtype=np.int64)
        self._count += len(boxes)
        return Tracks(ids, boxes.xyxy, boxes.scores)
