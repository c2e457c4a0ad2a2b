"""PCK as it is published for sub-JHMDB: within 0.2 of the person's size, or of the torso's length.

n predicted people on a picture, K joints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posecli.formats.base import convert_poses
from posecli.metrics.boxes import iou
from posecli.metrics.columns import column_joints, mean_of_numbers, table_row
from posecli.metrics.protocol import Figures, Report
from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses

if TYPE_CHECKING:
    from posecli.data.footage import Footage
    from posecli.data.people import Person

THRESHOLD = 0.2
SHORTEST_TORSO = 1.0  # pixels; below, the predicted torso counts
KINDS = ("PCK", "PCK_torso")


class JhmdbPck:
    """The share of joints that lie near enough to their labels, over all sequences of a split.

    PCK: within 0.2 of the longer side of the person's box. PCK_torso: within 0.2 of the distance from the left shoulder
    to the right hip as labelled, or where that is under a pixel as predicted. Joints that are not predicted, and all
    those of a person whom no prediction overlaps, count as missed.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._skeleton: Skeleton | None = None
        self._labelled_K = np.zeros(0)
        self._near_2K = np.zeros((2, 0))  # by kind

    def update(
        self, footage: Footage, predictions: Mapping[int, Poses], skeleton: Skeleton | None = None
    ) -> None:
        """One sequence; see DatasetMetric. Every sequence has to have the same skeleton."""
        target = footage.skeleton
        if self._skeleton is None:
            self._skeleton = target
            self._labelled_K, self._near_2K = np.zeros(len(target)), np.zeros((2, len(target)))
        if self._skeleton != target:
            raise ValueError(
                f"{footage.name} has the joints of {target.name}, others of {self._skeleton.name}"
            )
        for place, people in footage.people.items():
            people = tuple(person for person in people if not person.crowd)
            poses = predictions.get(place, Poses.empty(place, 0, len(skeleton or target)))
            found = convert_poses(poses, skeleton or target, target)
            chosen = most_overlapping(people, found.tracks.xyxy)
            for person, i in zip(people, chosen, strict=True):
                keypoints = (
                    found.keypoints[i] if i is not None else np.full((len(target), 2), np.nan, np.float32)
                )
                self._labelled_K += person.labelled > 0
                self._near_2K += near_joints(person, keypoints, target)

    def compute(self) -> Figures:
        """PCK by the person's size, in per cent; the mean is over the joints that the columns have."""
        return next(iter(self.report().values()))

    def report(self) -> Report:
        """PCK and PCK_torso, then both of every joint (joints, joints_torso), in per cent."""
        if self._skeleton is None:
            raise ValueError("no sequences were given")
        skeleton = self._skeleton
        shown = {name for names in column_joints(skeleton).values() for name in names}
        rows: Report = {}
        by_joint: Report = {}
        with np.errstate(invalid="ignore"):  # a joint that is never labelled has no PCK
            share_2K = 100 * self._near_2K / self._labelled_K
        for kind, share_K in zip(KINDS, share_2K.tolist(), strict=True):
            joints = dict(zip(skeleton.keypoints, share_K, strict=True))
            mean = mean_of_numbers({name: value for name, value in joints.items() if name in shown})
            rows[kind] = table_row(joints, skeleton, mean)
            by_joint[kind.replace("PCK", "joints")] = joints
        return rows | by_joint


def near_joints(person: Person, keypoints_K2: FloatArray, skeleton: Skeleton) -> NDArray[np.bool_]:
    """(2, K) which labelled joints are near enough, by the person's size and by the torso's."""
    shoulder, hip = skeleton.index("left_shoulder"), skeleton.index("right_hip")
    size = float((person.box[2:] - person.box[:2]).max())
    torso = float(np.linalg.norm(person.keypoints[shoulder] - person.keypoints[hip]))
    if torso < SHORTEST_TORSO:
        torso = float(np.linalg.norm(keypoints_K2[shoulder] - keypoints_K2[hip]))
    distance_K = np.linalg.norm(keypoints_K2 - person.keypoints, axis=-1)
    near_2K = distance_K <= THRESHOLD * np.array([[size], [torso]])
    return np.asarray(near_2K & (person.labelled > 0))


def most_overlapping(people: Sequence[Person], boxes: FloatArray) -> list[int | None]:
    """For each labelled person the predicted one, the best overlap of boxes first; None for whom none overlaps."""
    chosen: list[int | None] = [None] * len(people)
    overlap = np.array([iou(person.box, boxes) for person in people]).reshape(len(people), len(boxes))
    while overlap.size and overlap.max() > 0:
        person, prediction = np.unravel_index(overlap.argmax(), overlap.shape)
        chosen[person] = int(prediction)
        overlap[person], overlap[:, prediction] = 0, 0
    return chosen
