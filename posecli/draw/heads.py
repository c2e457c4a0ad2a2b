"""Where people's heads are on every frame, surely enough to hide them.

The proportions of the body are ours, from adults' mean measures (in metres: shoulder joints 0.33 apart, trunk 0.5,
ears 0.15, stature 1.75; a head's half width with hair 0.10), and everything errs on the large side.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from posecli.formats.base import NO_TRACK, box_around
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses

Array = NDArray[np.float64]

SURE = 0.3  # score from which a joint's place is believed
MARGIN = 1.25  # of an oval's size over the head's
ELONGATION = 1.3  # length of a head over its width
HEAD_ABOVE_SHOULDERS = 2.6  # half widths between the shoulders' middle and the head's centre
UNSURE_GROWTH = 1.5  # of an oval that no sure joint of the face vouches for
FARTHEST_GUESS = 4.0  # ovals' sizes; an unsure face farther from where the body has its head is not believed
NEIGHBOURS = 3  # frames on both sides that an outlier is compared with
LONGEST_GAP_S = 1.0  # that is bridged
HOLD_S = 0.5  # before a track begins, after it ends, and on both sides of a longer gap
GROWTH_PER_S = 1.0  # of an oval, in its own sizes, with the time to the nearest frame that shows the person
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head")
# Distances between joints, and what part of each a head's half width is.
BODY_MEASURES = (
    ("left_shoulder", "right_shoulder", 0.30),
    ("left_shoulder", "left_hip", 0.20),
    ("right_shoulder", "right_hip", 0.20),
)
HEAD_MEASURES = (
    ("left_ear", "right_ear", 0.65),
    ("left_ear", "nose", 0.75),
    ("right_ear", "nose", 0.75),
    ("head_bottom", "head_top", 0.36),
    ("neck", "head", 0.5),
)
BODY_LIMIT = 1.8  # of what the body suggests; a joint of the face in a wrong place suggests any size
SMALLEST, LARGEST = 0.05, 0.5  # of the box's longer side


class Heads:
    """The ovals that hide the heads of a recording; rows as anonymize takes them.

    A track's head is known between the frames that show it, too, and a little before and after.

    Args:
        frames: the poses of the recording.
        frame_rate: frames a second.
    """

    def __init__(self, frames: Iterable[Poses], skeleton: Skeleton, frame_rate: float) -> None:
        tracks: dict[int, dict[int, Array]] = {}
        self._ovals: dict[int, list[Array]] = {}
        for poses in frames:
            boxes = poses.tracks.xyxy
            for i, track_id in enumerate(poses.tracks.ids.tolist()):
                oval = head_oval(poses.keypoints[i], poses.scores[i], boxes[i], skeleton)
                if oval is None:
                    continue
                if track_id == NO_TRACK:
                    self._ovals.setdefault(poses.frame_index, []).append(oval)
                else:
                    tracks.setdefault(track_id, {})[poses.frame_index] = oval
        for track in tracks.values():
            for index, oval in _through_time(track, frame_rate):
                self._ovals.setdefault(index, []).append(oval)

    def at(self, frame_index: int) -> FloatArray:
        """(n, 6) ovals of a frame, in the recording's pixels."""
        ovals = self._ovals.get(frame_index, [])
        return np.array(ovals, np.float32).reshape(len(ovals), 6)


def head_oval(keypoints: FloatArray, scores: FloatArray, box: FloatArray, skeleton: Skeleton) -> Array | None:
    """The oval (6,) of one person's head; None if there is neither a box nor a keypoint.

    A sure face gives its place, else the shoulders do, else the box's upper end; an unsure face is covered, too.
    """
    if not (np.isfinite(box).all() and (box[2:] > box[:2]).all()):
        if not np.isfinite(keypoints).all(axis=1).any():
            return None
        box = box_around(keypoints[None])[0]
    joints = {
        name: point.astype(np.float64)
        for name, point in zip(skeleton.keypoints, keypoints, strict=True)
        if np.isfinite(point).all()
    }
    sure = {
        name for name, score in zip(skeleton.keypoints, scores, strict=True) if score >= SURE
    } & joints.keys()
    certain = {name: joints[name] for name in sure}
    size = _half_width(certain, box.astype(np.float64))
    up = _up(certain)
    face = _face(certain)
    if face is not None:
        seen = sum(name in FACE for name in certain)
        growth = 1.0 if seen >= 3 else 1 + (UNSURE_GROWTH - 1) / 2
        return _oval(face + 0.2 * size * up, growth * size, up)
    centre = _above_shoulders(certain, size, up)
    if centre is None:
        middle = (box[0] + box[2]) / 2
        centre, up = np.array([middle, box[1] + ELONGATION * size]), np.array([0.0, -1.0])
    oval = _oval(centre, UNSURE_GROWTH * size, up)
    guess = _face(joints)
    if guess is not None and np.hypot(*(guess - centre)) < FARTHEST_GUESS * oval[3]:
        oval = _enclose(oval, _oval(guess, size, up))
    return oval


def _half_width(joints: dict[str, Array], box: Array) -> float:
    """Pixels; the largest that any distance between sure joints suggests, since foreshortening only makes it small."""
    longest = float((box[2:] - box[:2]).max())
    body, head = (_largest(joints, measures) for measures in (BODY_MEASURES, HEAD_MEASURES))
    if not body and not head:
        return 1.5 * SMALLEST * longest
    limit = min(LARGEST * longest, BODY_LIMIT * body or np.inf)
    return max(SMALLEST * longest, min(max(body, head), limit))


def _largest(joints: dict[str, Array], measures: tuple[tuple[str, str, float], ...]) -> float:
    """The largest half width that these measures suggest; 0 where their joints are not there."""
    return max(
        (
            share * float(np.hypot(*(joints[a] - joints[b])))
            for a, b, share in measures
            if {a, b} <= joints.keys()
        ),
        default=0.0,
    )


def _up(joints: dict[str, Array]) -> Array:
    """The unit vector along the trunk, towards the head; the picture's up where the trunk is not seen."""
    shoulders, hips = _middle(joints, "shoulder"), _middle(joints, "hip")
    head = _mean(joints, FACE)
    ends = (hips, shoulders) if shoulders is not None and hips is not None else (shoulders, head)
    if "head_top" in joints and "head_bottom" in joints:
        ends = joints["head_bottom"], joints["head_top"]
    if ends[0] is None or ends[1] is None:
        return np.array([0.0, -1.0])
    up: Array = ends[1] - ends[0]
    length = float(np.hypot(*up))
    return up / length if length > 1e-3 else np.array([0.0, -1.0])


def _face(joints: dict[str, Array]) -> Array | None:
    """The head's centre by the joints of the face: between its front and its ears."""
    if "head_top" in joints and "head_bottom" in joints:
        return (joints["head_top"] + joints["head_bottom"]) / 2
    front = _mean(joints, ("nose", "left_eye", "right_eye", "head"))
    ears = _mean(joints, ("left_ear", "right_ear"))
    parts = [part for part in (front, ears) if part is not None]
    return np.mean(parts, axis=0) if parts else None


def _above_shoulders(joints: dict[str, Array], size: float, up: Array) -> Array | None:
    shoulders = _middle(joints, "shoulder")
    return None if shoulders is None else shoulders + HEAD_ABOVE_SHOULDERS * size * up


def _middle(joints: dict[str, Array], part: str) -> Array | None:
    return _mean(joints, (f"left_{part}", f"right_{part}"))


def _mean(joints: dict[str, Array], names: tuple[str, ...]) -> Array | None:
    found = [joints[name] for name in names if name in joints]
    return np.mean(found, axis=0) if found else None


def _oval(centre: Array, half_width: float, up: Array) -> Array:
    across = MARGIN * half_width
    return np.array([*centre, across, ELONGATION * across, *up])


def _enclose(oval: Array, other: Array) -> Array:
    """An oval that covers both; of the first one's direction."""
    offset = other[:2] - oval[:2]
    distance = float(np.hypot(*offset))
    if distance < 1e-6:
        return np.array([*oval[:2], *np.maximum(oval[2:4], other[2:4]), *oval[4:]])
    # The circle around both, by their longer axes.
    low, high = min(-oval[3], distance - other[3]), max(oval[3], distance + other[3])
    radius = (high - low) / 2
    return np.array([*(oval[:2] + offset / distance * (low + high) / 2), radius, radius, *oval[4:]])


def _through_time(track: dict[int, Array], frame_rate: float) -> Iterable[tuple[int, Array]]:
    """The ovals of a track by frame: without outliers, over short gaps, and held at its ends."""
    known = np.array(sorted(track))
    longest_gap, hold = LONGEST_GAP_S * frame_rate, round(HOLD_S * frame_rate)
    breaks = np.flatnonzero(np.diff(known) > longest_gap) + 1
    for section in np.split(known, breaks):
        ovals = _without_outliers(np.array([track[index] for index in section.tolist()]))
        frames = np.arange(section[0] - hold, section[-1] + hold + 1)
        filled = np.stack([np.interp(frames, section, column) for column in ovals.T], axis=1)
        filled[:, 4:] /= np.maximum(np.hypot(filled[:, 4], filled[:, 5]), 1e-6)[:, None]
        after = np.searchsorted(section, frames).clip(0, len(section) - 1)
        before = (np.searchsorted(section, frames, side="right") - 1).clip(0)
        away = np.minimum(np.abs(frames - section[before]), np.abs(section[after] - frames))
        filled[:, 2:4] *= (1 + GROWTH_PER_S * away / frame_rate)[:, None]
        yield from zip(frames.tolist(), filled, strict=True)


def _without_outliers(ovals: Array) -> Array:
    """Sizes are the largest around, of medians; a place away from its neighbours' median is covered with that."""
    steady = np.median(_around(ovals), axis=-1)
    sizes = np.maximum.reduce(_around(steady[:, 2:4]), axis=-1)
    places = np.concatenate([ovals[:, :2], sizes, ovals[:, 4:]], axis=1)
    median = np.concatenate([steady[:, :2], sizes, ovals[:, 4:]], axis=1)
    is_far = np.hypot(*(median[:, :2] - places[:, :2]).T) > 0.5 * sizes[:, 0]
    return np.stack(
        [_enclose(a, b) if far else a for a, b, far in zip(places, median, is_far.tolist(), strict=True)]
    )


def _around(values: Array) -> Array:
    """(n, columns) to (n, columns, frames): every row with its NEIGHBOURS on both sides."""
    padded = np.pad(values, ((NEIGHBOURS, NEIGHBOURS), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1, axis=0)
