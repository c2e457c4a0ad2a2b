"""Joint orders, limbs, flip pairs and OKS sigmas, and the conversions between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A named, ordered set of keypoints."""

    name: str
    keypoints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]
    sigmas: tuple[float, ...]  # OKS constants, one a keypoint, in the order of keypoints

    def __len__(self) -> int:
        return len(self.keypoints)

    def index(self, keypoint: str) -> int:
        return self.keypoints.index(keypoint)

    @property
    def limb_indices(self) -> list[tuple[int, int]]:
        return [(self.index(a), self.index(b)) for a, b in self.limbs]

    @property
    def flip(self) -> list[int]:
        """flip[i] is the keypoint that keypoint i becomes in a mirrored picture."""
        return [self.index(_mirror(name)) for name in self.keypoints]


def _mirror(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


_ARMS_AND_LEGS = (
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
)
_FLANKS = (
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_hip", "right_hip"),
)

COCO = Skeleton(
    "coco",
    (
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    (
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("left_eye", "right_eye"),
        ("left_eye", "left_ear"),
        ("right_eye", "right_ear"),
        ("left_ear", "left_shoulder"),
        ("right_ear", "right_shoulder"),
        ("left_shoulder", "right_shoulder"),
        *_FLANKS,
        *_ARMS_AND_LEGS,
    ),
    (
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
        0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
    ),
)  # fmt: skip

_POSETRACK_LIMBS = (
    ("nose", "head_top"),
    ("nose", "head_bottom"),
    ("head_bottom", "left_shoulder"),
    ("head_bottom", "right_shoulder"),
    *_FLANKS,
    *_ARMS_AND_LEGS,
)

# PoseTrack 2018's 17 slots ("PoseTrack-COCO"); the ears are never labelled.
POSETRACK18 = Skeleton(
    "posetrack18",
    ("nose", "head_bottom", "head_top", *COCO.keypoints[3:]),
    _POSETRACK_LIMBS,
    (0.026, 0.079, 0.079, *COCO.sigmas[3:]),
)

# PoseTrack 2017's 15 joints, in the order of their ids (also the evaluation's order).
POSETRACK17 = Skeleton(
    "posetrack17",
    (
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "head_bottom",
        "nose",
        "head_top",
    ),
    _POSETRACK_LIMBS,
    (0.089, 0.087, 0.107, 0.107, 0.087, 0.089, 0.062, 0.072, 0.079, 0.079, 0.072, 0.062, 0.079, 0.026, 0.079),
)

# JHMDB's 15 joints in the order of its .mat files.
JHMDB = Skeleton(
    "jhmdb",
    (
        "neck",
        "belly",
        "head",
        "right_shoulder",
        "left_shoulder",
        "right_hip",
        "left_hip",
        "right_elbow",
        "left_elbow",
        "right_knee",
        "left_knee",
        "right_wrist",
        "left_wrist",
        "right_ankle",
        "left_ankle",
    ),
    (
        ("head", "neck"),
        ("neck", "belly"),
        ("neck", "left_shoulder"),
        ("neck", "right_shoulder"),
        ("belly", "left_hip"),
        ("belly", "right_hip"),
        *_ARMS_AND_LEGS,
    ),
    (0.079, 0.107, 0.035, 0.079, 0.079, 0.107, 0.107, 0.072, 0.072, 0.087, 0.087, 0.062, 0.062, 0.089, 0.089),
)  # fmt: skip

SKELETONS = {skeleton.name: skeleton for skeleton in (COCO, POSETRACK17, POSETRACK18, JHMDB)}

_ENDS_OF_ANGLE = {
    "elbow": ("shoulder", "wrist"),
    "shoulder": ("hip", "elbow"),
    "hip": ("shoulder", "knee"),
    "knee": ("hip", "ankle"),
}
# By the joint at which it is measured: the two joints between the ways to which the angle lies.
ANGLES = {
    f"{side}_{joint}": (f"{side}_{first}", f"{side}_{second}")
    for side in ("left", "right")
    for joint, (first, second) in _ENDS_OF_ANGLE.items()
}

# How far the neck is on the way from the shoulders' midpoint to the nose. Our choice, for derived joints.
NECK_FRACTION = 0.25
# How far the head's top lies beyond the face's centre, in distances from the neck to it. Our choice too.
HEAD_TOP_EXTRAPOLATION = 0.9
DERIVED_JOINTS = ("head_bottom", "head_top", "head")


def convert(
    keypoints: FloatArray, scores: FloatArray, source: Skeleton, target: Skeleton
) -> tuple[FloatArray, FloatArray]:
    """Keypoints of one skeleton in another's order; joints that the source lacks are NaN.

    Args:
        keypoints: (n, source K, 2) pixels.
        scores: (n, source K).

    Returns:
        (n, target K, 2) and (n, target K). From COCO, head_bottom, head_top and JHMDB's head are derived (see
        derived_joints) and scored with the lowest of the joints that they come from.
    """
    points = np.full((len(keypoints), len(target), 2), np.nan, np.float32)
    confidence = np.full((len(keypoints), len(target)), np.nan, np.float32)
    available = {name: (keypoints[:, i], scores[:, i]) for i, name in enumerate(source.keypoints)}
    available = derived_joints(available) | available
    for i, name in enumerate(target.keypoints):
        if name in available:
            points[:, i], confidence[:, i] = available[name]
    return points, confidence


def derived_joints(
    joints: dict[str, tuple[FloatArray, FloatArray]],
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """head_bottom and head_top of PoseTrack and head of JHMDB from COCO's joints, where those are there.

    head_bottom lies NECK_FRACTION of the way from the shoulders' midpoint to the nose. head_top lies on the
    line from head_bottom through the mean of nose and ears, HEAD_TOP_EXTRAPOLATION of that length beyond it.
    head, in JHMDB the middle of the face, is that mean.
    """
    sources = ("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder")
    if any(name not in joints for name in sources):
        return {}
    nose, left_ear, right_ear, left_shoulder, right_shoulder = (joints[name][0] for name in sources)
    score = {name: joints[name][1] for name in sources}
    middle = (left_shoulder + right_shoulder) / 2
    head_bottom = middle + NECK_FRACTION * (nose - middle)
    face = (nose + left_ear + right_ear) / 3
    head_top = face + HEAD_TOP_EXTRAPOLATION * (face - head_bottom)
    neck_score = np.minimum.reduce([score["nose"], score["left_shoulder"], score["right_shoulder"]])
    face_score = np.minimum.reduce([score["nose"], score["left_ear"], score["right_ear"]])
    top_score = np.minimum(neck_score, face_score)
    return {
        "head_bottom": (head_bottom.astype(np.float32), neck_score),
        "head_top": (head_top.astype(np.float32), top_score),
        "head": (face.astype(np.float32), face_score),
    }
