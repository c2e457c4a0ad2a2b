"""A human body: proportions, joint angles, and the forward kinematics between them.

Axes, everywhere in this package: x right, y down, z away from the camera, metres. A body at yaw 0 faces the
camera, so that its left side lies at +x; at yaw +90 degrees it faces +x. Angles are radians. Pairs are
(left, right).

Segment lengths are fractions of stature after Drillis and Contini (1966), as tabulated in Winter,
"Biomechanics and Motor Control of Human Movement", figure 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SIDES = ((0, "left", 1.0), (1, "right", -1.0))  # index in a pair, name, sign of the lateral axis
DOWN = np.array([0.0, 1.0, 0.0])
FORWARD = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True, slots=True)
class Proportions:
    """The lengths of one person's body. All but stature and girth are fractions of stature."""

    stature: float = 1.72  # metres
    girth: float = 1.0  # multiplies every thickness
    upper_arm: float = 0.172
    forearm: float = 0.157
    hand: float = 0.095
    thigh: float = 0.245
    shank: float = 0.246
    ankle_height: float = 0.039
    foot: float = 0.152
    trunk: float = 0.288  # hip joints to shoulder joints
    shoulders: float = 0.218  # between the joints' centres
    hips: float = 0.118
    head: float = 1.0  # multiplies the head's size

    @classmethod
    def random(cls, rng: np.random.Generator, child_probability: float = 0.125) -> Proportions:
        """An adult or a child; every length varies by a few per cent."""
        child = rng.random() < child_probability
        adult = cls()
        varied = {
            name: getattr(adult, name) * float(np.clip(rng.normal(1, 0.035), 0.92, 1.08))
            for name in (
                "upper_arm",
                "forearm",
                "hand",
                "thigh",
                "shank",
                "trunk",
                "shoulders",
                "hips",
                "head",
            )
        }
        body = replace(adult, **varied, stature=float(np.clip(rng.normal(1.71, 0.09), 1.48, 1.98)))
        body = replace(body, girth=float(np.clip(rng.normal(1.02, 0.12), 0.82, 1.4)))
        if not child:
            return body
        return replace(
            body, stature=float(rng.uniform(1.0, 1.4)), head=body.head * 1.3, thigh=body.thigh * 0.95
        )


def _pair(left: float = 0.0, right: float = 0.0) -> Array:
    return np.array([left, right])


@dataclass(slots=True)
class Pose:
    """Joint angles. Zero everywhere is standing upright with hanging arms.

    flexion moves a limb forwards, abduction away from the midline; knees and elbows bend by positive angles.
    The pelvis is placed so that the lowest point of the body is `lift` statures above the ground.
    """

    yaw: float = 0.0
    pitch: float = 0.0  # of the whole body, forwards
    roll: float = 0.0  # of the whole body, to its right
    lean: float = 0.0  # of the trunk, forwards
    side_lean: float = 0.0
    twist: float = 0.0  # shoulders against hips
    head_pitch: float = 0.0  # nodding down
    head_yaw: float = 0.0
    shoulder_flexion: Array = field(default_factory=_pair)
    shoulder_abduction: Array = field(default_factory=lambda: _pair(0.12, 0.12))
    shoulder_rotation: Array = field(default_factory=_pair)  # inwards
    elbow: Array = field(default_factory=lambda: _pair(0.15, 0.15))
    hip_flexion: Array = field(default_factory=_pair)
    hip_abduction: Array = field(default_factory=lambda: _pair(0.05, 0.05))
    knee: Array = field(default_factory=lambda: _pair(0.04, 0.04))
    ankle: Array = field(default_factory=_pair)  # toes up
    lift: float = 0.0


JOINT_LIMITS: dict[str, tuple[float, float]] = {
    "lean": (-0.5, 1.9),
    "side_lean": (-0.6, 0.6),
    "twist": (-0.8, 0.8),
    "head_pitch": (-0.8, 0.9),
    "head_yaw": (-1.2, 1.2),
    "shoulder_flexion": (-1.0, 3.1),
    "shoulder_abduction": (-0.4, 3.1),
    "shoulder_rotation": (-1.4, 1.4),
    "elbow": (0.0, 2.6),
    "hip_flexion": (-0.6, 2.2),
    "hip_abduction": (-0.4, 1.0),
    "knee": (0.0, 2.5),
    "ankle": (-0.9, 0.5),
}


def limit(pose: Pose) -> Pose:
    """The pose with every joint inside its range of motion."""
    limited = {name: np.clip(getattr(pose, name), low, high) for name, (low, high) in JOINT_LIMITS.items()}
    return replace(pose, **limited)


def rotation_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def rotation_y(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def rotation_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@dataclass(frozen=True, slots=True)
class Figure:
    """A posed body in space: where every landmark is and how the rigid parts are turned.

    Landmarks, (3,) metres, have COCO's names, and pelvis, neck, head, and each side's hand, toe and heel.
    The columns of a rotation are the part's left, down and back.
    """

    points: dict[str, Array]
    pelvis: Array  # (3, 3)
    chest: Array  # (3, 3)
    head: Array  # (3, 3)
    proportions: Proportions


# Offsets from the head's centre, in the head's axes, as fractions of stature.
FACE = {
    "nose": (0.0, 0.014, -0.064),
    "left_eye": (0.0195, -0.006, -0.050),
    "right_eye": (-0.0195, -0.006, -0.050),
    "left_ear": (0.046, 0.004, 0.002),
    "right_ear": (-0.046, 0.004, 0.002),
}
HEAD_RADII = np.array([0.0455, 0.068, 0.058])
NECK_RISE = 0.035  # of the neck's base above the line of the shoulders
HEAD_RISE = 0.077  # of the head's centre above the neck's base
UPPER_NECK = 0.2  # of the way from the neck's base to the head's centre: the height of the chin


def pose_figure(body: Proportions, pose: Pose) -> Figure:
    """Forward kinematics: the figure stands on the ground y = 0 with its pelvis above the origin."""
    root = rotation_y(-pose.yaw) @ rotation_x(pose.pitch) @ rotation_z(pose.roll)
    chest = root @ rotation_y(-pose.twist) @ rotation_z(pose.side_lean) @ rotation_x(pose.lean)
    head = chest @ rotation_y(-pose.head_yaw) @ rotation_x(pose.head_pitch - 0.6 * pose.lean)
    points = {"pelvis": np.zeros(3)}
    for i, side, sign in SIDES:
        _leg(points, body, pose, root, i, side, sign)
        _arm(points, body, pose, chest, i, side, sign)
    points["neck"] = -DOWN @ chest.T * (body.trunk + NECK_RISE)
    centre = points["neck"] - head[:, 1] * HEAD_RISE * (0.4 + 0.6 * body.head) + head[:, 2] * -0.008
    points["head"] = centre
    for name, offset in FACE.items():
        points[name] = centre + head @ np.array(offset) * body.head
    lowest = max(point[1] for point in points.values())
    shift = np.array([0.0, -lowest - pose.lift, 0.0])
    points = {name: (point + shift) * body.stature for name, point in points.items()}
    return Figure(points, root, chest, head, body)


def head_ends(figure: Figure) -> dict[str, Array]:
    """PoseTrack's head_bottom (the upper neck, at the chin's height) and head_top (of the skull), (3,) metres."""
    neck, head = figure.points["neck"], figure.points["head"]
    crown = HEAD_RADII[1] * figure.proportions.head * figure.proportions.stature
    return {
        "head_bottom": neck + UPPER_NECK * (head - neck),
        "head_top": head - figure.head[:, 1] * crown,
    }


def _leg(
    points: dict[str, Array], body: Proportions, pose: Pose, root: Array, i: int, side: str, sign: float
) -> None:
    hip = root[:, 0] * sign * body.hips / 2
    thigh = root @ rotation_x(-pose.hip_flexion[i]) @ rotation_z(-sign * pose.hip_abduction[i])
    shank = thigh @ rotation_x(pose.knee[i])
    foot = shank @ rotation_y(-sign * 0.15) @ rotation_x(-pose.ankle[i])
    knee = hip + thigh @ DOWN * body.thigh
    ankle = knee + shank @ DOWN * body.shank
    sole = ankle + foot @ DOWN * body.ankle_height
    points[f"{side}_hip"], points[f"{side}_knee"], points[f"{side}_ankle"] = hip, knee, ankle
    points[f"{side}_heel"] = sole - foot @ FORWARD * body.foot * 0.25
    points[f"{side}_toe"] = sole + foot @ FORWARD * body.foot * 0.75


def _arm(
    points: dict[str, Array], body: Proportions, pose: Pose, chest: Array, i: int, side: str, sign: float
) -> None:
    raised = np.clip((pose.shoulder_abduction[i] + abs(pose.shoulder_flexion[i])) / np.pi, 0, 1)
    shoulder = chest @ np.array(
        [sign * body.shoulders / 2 * (1 - 0.12 * raised), -body.trunk - 0.02 * raised, 0]
    )
    upper = chest @ rotation_x(-pose.shoulder_flexion[i]) @ rotation_z(-sign * pose.shoulder_abduction[i])
    upper = upper @ rotation_y(sign * pose.shoulder_rotation[i])
    lower = upper @ rotation_x(-pose.elbow[i])
    elbow = shoulder + upper @ DOWN * body.upper_arm
    wrist = elbow + lower @ DOWN * body.forearm
    points[f"{side}_shoulder"], points[f"{side}_elbow"], points[f"{side}_wrist"] = shoulder, elbow, wrist
    points[f"{side}_hand"] = wrist + lower @ DOWN * body.hand
