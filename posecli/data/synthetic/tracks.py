"""People driven by recorded joints: a track of 15 joints in the plane becomes a motion.

The joints are kept where they are in the picture; what the track lacks is made up. Depth comes from how far the
body is turned: shoulders and hips seen narrower than they are must be turned away. This is 2.5-D, enough to draw
limbs in the right order; a limb that points at the camera is drawn short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posecli.data.synthetic.body import DOWN, FACE, SIDES, Array, Figure, Proportions, rotation_y, rotation_z
from posecli.errors import PosecliError
from posecli.skeletons import JHMDB, POSETRACK17, Skeleton


@dataclass(frozen=True, slots=True)
class TrackMotion:
    """A motion that repeats a recorded one, forwards and backwards.

    Args:
        joints: (frames, 15, 2) x right, y down, in any unit, in the order of the skeleton.
        frame_rate: frames a second.
        skeleton: JHMDB or POSETRACK17.

    Raises:
        PosecliError: another skeleton, another shape, or joints that are not finite.
    """

    joints: Array
    frame_rate: float
    skeleton: Skeleton = JHMDB
    speed: float = 0.0  # a track stays where the scene puts it

    def __post_init__(self) -> None:
        if self.skeleton not in (JHMDB, POSETRACK17):
            raise PosecliError(
                f"tracks of {self.skeleton.name} cannot drive people; use jhmdb or posetrack17"
            )
        if self.joints.ndim != 3 or self.joints.shape[1:] != (15, 2) or not np.isfinite(self.joints).all():
            raise PosecliError(
                f"a track needs finite joints of shape (frames, 15, 2), not {self.joints.shape}"
            )

    @property
    def name(self) -> str:
        return "track"

    def figure(self, body: Proportions, time_s: float, yaw: float = 0.0) -> Figure:
        """The body at a time, standing at the origin. The track decides where it faces: yaw is not used."""
        joints = self._at(time_s) * (body.stature / self._height())
        points = {name: np.array([*joints[i], 0.0]) for i, name in enumerate(self.skeleton.keypoints)}
        if self.skeleton is POSETRACK17:
            points["neck"], points["head"] = points["head_bottom"], (points["nose"] + points["head_top"]) / 2
        points["pelvis"] = (points["left_hip"] + points["right_hip"]) / 2
        chest = _facing(points, "shoulder", body.shoulders * body.stature)
        pelvis = _facing(points, "hip", body.hips * body.stature)
        upright = _roll(points["neck"] - points["pelvis"])
        _deepen(points, chest, pelvis, body)
        head = _roll(points["head"] - points["neck"]) @ chest
        for name, offset in FACE.items():
            points[name] = points["head"] + head @ np.array(offset) * body.head * body.stature
        for _, side, _ in SIDES:
            _extremities(points, side, upright @ pelvis, body)
        lowest = max(point[1] for point in points.values())
        shift = np.array([points["pelvis"][0], lowest, 0.0])
        placed = {name: point - shift for name, point in points.items()}
        return Figure(placed, upright @ pelvis, upright @ chest, head, body)

    def _at(self, time_s: float) -> Array:
        """(15, 2) at a time, between two frames; the recording runs to and fro."""
        last = len(self.joints) - 1
        if last == 0:
            return self.joints[0]
        position = abs((time_s * self.frame_rate + last) % (2 * last) - last)
        low = min(int(position), last - 1)
        share = position - low
        return self.joints[low] * (1 - share) + self.joints[low + 1] * share

    def _height(self) -> float:
        """A stature in the track's unit: the trunk's longest appearance over what a trunk is of stature."""
        index = self.skeleton.index
        neck = self.joints[:, index("neck" if self.skeleton is JHMDB else "head_bottom")]
        hips = (self.joints[:, index("left_hip")] + self.joints[:, index("right_hip")]) / 2
        trunk = float(np.percentile(np.linalg.norm(neck - hips, axis=1), 90))
        return max(trunk, 1e-6) / (Proportions().trunk + 0.035)


def _facing(points: dict[str, Array], joint: str, width: float) -> Array:
    """How a pair of joints is turned about the vertical, as a rotation, from how wide the pair is seen."""
    across = points[f"left_{joint}"][0] - points[f"right_{joint}"][0]
    turned = float(np.arccos(np.clip(across / width, -1, 1)))
    ahead = points["head"][0] - points["neck"][0] + 0.5 * _bend_of_knees(points)
    return rotation_y(-turned if ahead >= 0 else turned)


def _bend_of_knees(points: dict[str, Array]) -> float:
    """How far the knees stand to the right of the legs' lines: knees point forwards."""
    return float(
        np.mean(
            [
                2 * points[f"{s}_knee"][0] - points[f"{s}_hip"][0] - points[f"{s}_ankle"][0]
                for _, s, _ in SIDES
            ]
        )
    )


def _roll(axis: Array) -> Array:
    """The rotation in the picture that takes up to the direction of an axis."""
    return rotation_z(float(np.arctan2(axis[0], -axis[1])))


def _deepen(points: dict[str, Array], chest: Array, pelvis: Array, body: Proportions) -> None:
    """Depth of the limbs: that of the shoulder or hip they hang from."""
    for _, side, sign in SIDES:
        arm = sign * chest[2, 0] * body.shoulders / 2 * body.stature
        leg = sign * pelvis[2, 0] * body.hips / 2 * body.stature
        for joint in ("shoulder", "elbow", "wrist"):
            points[f"{side}_{joint}"][2] = arm
        for joint in ("hip", "knee", "ankle"):
            points[f"{side}_{joint}"][2] = leg


def _extremities(points: dict[str, Array], side: str, pelvis: Array, body: Proportions) -> None:
    """Hands go on along the forearms; feet stand at right angles to the shanks."""
    forearm = points[f"{side}_wrist"] - points[f"{side}_elbow"]
    forearm = forearm / (np.linalg.norm(forearm) + 1e-6)
    points[f"{side}_hand"] = points[f"{side}_wrist"] + forearm * body.hand * body.stature
    shank = points[f"{side}_ankle"] - points[f"{side}_knee"]
    shank = shank / (np.linalg.norm(shank) + 1e-6)
    forward = 0.15 * DOWN - pelvis[:, 2]
    forward = forward - shank * (forward @ shank)
    forward = forward / (np.linalg.norm(forward) + 1e-6)
    sole = points[f"{side}_ankle"] + shank * body.ankle_height * body.stature
    points[f"{side}_heel"] = sole - forward * body.foot * 0.25 * body.stature
    points[f"{side}_toe"] = sole + forward * body.foot * 0.75 * body.stature
