"""A picture as PoseTrack's kits see it: who is labelled on it, who is predicted, and what is ignored.

Everything is float64, as the kits read it from JSON, in the 15 joints of posecli.skeletons.POSETRACK17.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posecli.formats.base import convert_poses, estimated, shortest, weighted_by_box
from posecli.metrics.polygons import inside_any
from posecli.skeletons import POSETRACK17, Skeleton, convert
from posecli.types import Poses

if TYPE_CHECKING:
    from posecli.data.footage import Footage
    from posecli.data.people import Person

HEAD_SIZE = 0.6  # of the head rectangle's diagonal: poseval's unit of length
MISSING_SCORE = -9999.0  # what poseval takes where a joint comes without a score
UNKNOWN_TRACK = int(np.iinfo(np.int64).min)
NUM_JOINTS = len(POSETRACK17)


@dataclass(frozen=True, slots=True)
class People:
    """The people of one picture, labelled or predicted."""

    keypoints: NDArray[np.float64]  # (n, 15, 2) pixels
    present: NDArray[np.bool_]  # (n, 15) labelled, or predicted
    scores: NDArray[np.float64]  # (n, 15) of predicted joints
    track_ids: NDArray[np.int64]  # (n,) UNKNOWN_TRACK where there is none
    head_sizes: NDArray[np.float64]  # (n,) pixels, of labelled people; NaN where there is no head rectangle

    @classmethod
    def empty(cls, count: int = 0) -> People:
        """People of whom nothing is known yet, to be filled in."""
        return cls(
            np.zeros((count, NUM_JOINTS, 2)),
            np.zeros((count, NUM_JOINTS), bool),
            np.full((count, NUM_JOINTS), MISSING_SCORE),
            np.full(count, UNKNOWN_TRACK, np.int64),
            np.full(count, np.nan),
        )

    def __len__(self) -> int:
        return len(self.track_ids)

    def with_joints(self, keep: NDArray[np.bool_], *, drop_empty: bool) -> People:
        """Only these joints (n, 15), and with drop_empty only the people who have one left."""
        present = self.present & keep
        people = present.any(axis=1) if drop_empty else np.ones(len(self), bool)
        return People(
            self.keypoints[people],
            present[people],
            self.scores[people],
            self.track_ids[people],
            self.head_sizes[people],
        )


@dataclass(frozen=True, slots=True)
class ComparedFrame:
    """One picture of a sequence with both sides of the comparison."""

    place: str  # for messages: file and picture
    has_entries: bool  # whether the ground truth lists people at all, with joints or without
    labelled: bool  # is_labeled
    truth: People
    predicted: People
    ignored: Sequence[NDArray[np.floating]] = ()  # polygons (corners, 2), pixels


def without_ignored(frame: ComparedFrame) -> tuple[People, People]:
    """Both sides without the joints inside an ignore polygon, and without people whom that leaves empty.

    On a picture without polygons, people without joints stay, as with poseval; they only matter to MOTA.
    """
    if not len(frame.ignored):
        return frame.truth, frame.predicted
    truth, predicted = (
        people.with_joints(~inside_any(people.keypoints, frame.ignored), drop_empty=True)
        for people in (frame.truth, frame.predicted)
    )
    return truth, predicted


def head_size(xyxy: NDArray[np.floating]) -> float:
    """poseval's unit of length, pixels, from the corners (4,) of a head rectangle."""
    return HEAD_SIZE * float(np.hypot(*(np.asarray(xyxy[2:], np.float64) - np.asarray(xyxy[:2], np.float64))))


def compared_frames(
    footage: Footage, predictions: Mapping[int, Poses], skeleton: Skeleton
) -> Iterator[ComparedFrame]:
    """The frames of a sequence. Numbers are those that a result file would hold, so that its figures are the same."""
    for index, picture in enumerate(footage.frames):
        persons = footage.people.get(index, ())
        poses = predictions.get(index)
        yield ComparedFrame(
            place=f"{footage.name}: {picture.name}",
            has_entries=bool(persons),
            labelled=picture.labelled,
            truth=people_from_labels(persons, footage.skeleton),
            predicted=People.empty() if poses is None else people_from_poses(poses, skeleton),
            ignored=[shortest(polygon) for polygon in footage.ignored.get(index, ())],
        )


def people_from_labels(persons: Sequence[Person], skeleton: Skeleton) -> People:
    people = People.empty(len(persons))
    for i, person in enumerate(persons):
        keypoints, labelled = convert(person.keypoints[None], person.labelled[None], skeleton, POSETRACK17)
        # Joints that a skeleton only implies are no labels.
        own = np.array([name in skeleton.keypoints for name in POSETRACK17.keypoints])
        people.present[i] = own & (labelled[0] > 0)
        people.keypoints[i] = np.where(people.present[i, :, None], shortest(keypoints[0]), 0)
        people.track_ids[i] = person.track_id
        if person.head_box is not None:
            people.head_sizes[i] = head_size(shortest(person.head_box))
    return people


def people_from_poses(poses: Poses, skeleton: Skeleton) -> People:
    """Predicted people; a joint's score is its keypoint's times its box's."""
    poses = convert_poses(poses, skeleton, POSETRACK17)
    people = People.empty(len(poses))
    people.present[:] = estimated(poses)
    people.keypoints[:] = np.where(people.present[..., None], shortest(poses.keypoints), 0)
    scores = weighted_by_box(poses).scores
    people.scores[:] = np.where(np.isfinite(scores), shortest(scores), MISSING_SCORE)
    people.track_ids[:] = poses.tracks.ids
    return people
