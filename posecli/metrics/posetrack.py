"""PoseTrack's mAP and MOTA, equal to poseval's figures; docs/evaluation.md lists the rules and quirks.

Legend of the shapes: P predicted people, L labelled people, J the 15 joints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.metrics.average_precision import average_precision
from posecli.metrics.columns import mean_of_numbers, table_row
from posecli.metrics.posetrack_frames import (
    NUM_JOINTS,
    ComparedFrame,
    People,
    compared_frames,
    without_ignored,
)
from posecli.metrics.protocol import Figures, Report
from posecli.skeletons import POSETRACK17, Skeleton
from posecli.types import Poses

if TYPE_CHECKING:
    from posecli.data.footage import Footage

PoseTrackVariant = Literal["posetrack", "posetrack21"]
HIT = 0.5  # a joint is right within this many head sizes


class PoseTrackMetric:
    """AP per joint over sequences, which have to come in sorted order of their names.

    Args:
        variant: "posetrack" is poseval for 2017 and 2018, "posetrack21" the kit of PoseTrack21.
        mota: also MOTA, for which motmetrics has to be installed.

    Raises:
        PosecliError: mota is asked for and motmetrics is missing.
    """

    def __init__(self, variant: PoseTrackVariant = "posetrack", *, mota: bool = False) -> None:
        self._variant = variant
        self._with_mota = mota
        self.reset()

    def reset(self) -> None:
        self._scores: list[list[NDArray[np.float64]]] = [[] for _ in range(NUM_JOINTS)]
        self._hits: list[list[NDArray[np.bool_]]] = [[] for _ in range(NUM_JOINTS)]
        self._positives = np.zeros(NUM_JOINTS, np.int64)
        self._mota = None
        if self._with_mota:
            from posecli.metrics.mota import Mota

            self._mota = Mota()

    def update(
        self, footage: Footage, predictions: Mapping[int, Poses], skeleton: Skeleton | None = None
    ) -> None:
        """One sequence; see DatasetMetric. Joints are scored by their keypoint's score times their box's."""
        self.update_frames(compared_frames(footage, predictions, skeleton or footage.skeleton))

    def update_frames(self, frames: Iterable[ComparedFrame]) -> None:
        """One sequence.

        Raises:
            PosecliError: someone who has labelled joints has no head rectangle, or no track id where MOTA is asked.
        """
        if self._mota is not None:
            self._mota.start_sequence()
        pooled = [self._update_frame(frame) for frame in frames if self._counts(frame)]
        for joint in range(NUM_JOINTS):
            chosen = [present[:, joint] for present, _, _ in pooled]
            pairs = list(zip(pooled, chosen, strict=True))
            self._scores[joint] += [scores[keep, joint] for (_, scores, _), keep in pairs]
            self._hits[joint] += [hits[keep, joint] for (_, _, hits), keep in pairs]

    def _counts(self, frame: ComparedFrame) -> bool:
        return frame.labelled if self._variant == "posetrack21" else frame.has_entries

    def _update_frame(
        self, frame: ComparedFrame
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]:
        truth, predicted = without_ignored(frame)
        if self._variant == "posetrack21":
            truth, predicted = _with_positive_places(truth), _with_positive_places(predicted)
        if np.isnan(truth.head_sizes[truth.present.any(axis=1)]).any():
            raise PosecliError(
                f"{frame.place}: a labelled person without a head rectangle, which AP is measured by"
            )
        matches = match_people(truth, predicted)
        self._positives += truth.present.sum(axis=0)
        if self._mota is not None:
            self._mota.update(truth, predicted, matches.distance_PLJ, frame.place)
        return predicted.present, predicted.scores, matches.correct_PJ

    def compute(self) -> Figures:
        """AP of the body's parts, and of all: Mean is the mean of the 15 joints (those that are no NaN)."""
        joints = self._per_joint()["joints"]
        return table_row(joints, POSETRACK17, mean_of_numbers(joints))

    def report(self) -> Report:
        """AP, joints, precision and recall; with mota MOTA, MOTA_joints and the totals of its kind."""
        figures = self._per_joint()
        report = {"AP": self.compute(), "joints": figures["joints"]}
        for name in ("precision", "recall"):
            report[name] = table_row(figures[name], POSETRACK17, mean_of_numbers(figures[name]))
        return report | (self._mota.report() if self._mota is not None else {})

    def _per_joint(self) -> Report:
        figures: Report = {"joints": {}, "precision": {}, "recall": {}}
        for joint, name in enumerate(POSETRACK17.keypoints):
            scores = np.concatenate([np.zeros(0), *self._scores[joint]])
            hits = np.concatenate([np.zeros(0, bool), *self._hits[joint]])
            self._scores[joint], self._hits[joint] = [scores], [hits]
            positives = int(self._positives[joint])
            if self._variant == "posetrack21":
                positives = max(positives, 1)  # its kit makes 0 of what poseval makes NaN
            values = average_precision(scores, hits, positives)
            for row, value in zip(figures.values(), values, strict=True):
                row[name] = value
        return figures


class Matches(NamedTuple):
    distance_PLJ: NDArray[np.float64]  # in head sizes; NaN where the joint is no hit
    correct_PJ: NDArray[np.bool_]


def match_people(truth: People, predicted: People) -> Matches:
    """poseval's assignment: each prediction keeps its best person, then each person its best prediction.

    A prediction's score with a person is its hits among that person's labelled joints; the first of equals is taken,
    and without a hit there is no match. The joints of a prediction without a match are all wrong.
    """
    offset_PLJ2 = predicted.keypoints[:, None] - truth.keypoints[None]
    with np.errstate(divide="ignore", invalid="ignore"):  # a head of no size: nothing is near enough
        distance_PLJ = np.sqrt((offset_PLJ2**2).sum(-1)) / truth.head_sizes[:, None]
        hit_PLJ = distance_PLJ <= HIT
    hit_PLJ &= predicted.present[:, None] & truth.present[None]
    correct_PJ = np.zeros_like(predicted.present)
    if len(predicted) and len(truth):
        share_PL = hit_PLJ.sum(-1) / np.maximum(truth.present.sum(-1), 1)
        best_P = share_PL.argmax(axis=1)
        kept_PL = np.where(np.arange(len(truth)) == best_P[:, None], share_PL, 0)
        for person, prediction in enumerate(kept_PL.argmax(axis=0)):
            if kept_PL[prediction, person] > 0:
                correct_PJ[prediction] = hit_PLJ[prediction, person]
    return Matches(np.where(hit_PLJ, distance_PLJ, np.nan), correct_PJ)


def _with_positive_places(people: People) -> People:
    positive = np.asarray((people.keypoints > 0).all(axis=-1))
    return people.with_joints(positive, drop_empty=False)
