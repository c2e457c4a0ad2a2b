"""MOTA of every joint by itself, through motmetrics, as `poseval -t` tells it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from posecli.errors import PosecliError
from posecli.metrics.columns import mean_of_numbers, table_row
from posecli.metrics.posetrack_frames import NUM_JOINTS, UNKNOWN_TRACK, People
from posecli.metrics.protocol import MEAN, Report
from posecli.skeletons import POSETRACK17

if TYPE_CHECKING:
    Update = tuple[list[int], list[int], NDArray[np.float64]]

COUNTS = ("num_misses", "num_switches", "num_false_positives", "num_objects", "num_detections")


class Mota:
    """Gathers sequences frame by frame. poseval leaves out the last frame of each sequence, and so is it here.

    Raises:
        PosecliError: motmetrics is not installed.
    """

    def __init__(self) -> None:
        try:
            import motmetrics
        except ImportError:
            raise PosecliError("MOTA needs motmetrics: pip install motmetrics") from None
        self._motmetrics = motmetrics
        self._compute = motmetrics.metrics.create().compute
        self._totals = {name: np.zeros(NUM_JOINTS) for name in COUNTS}
        self._accumulators: list[Any] = []
        self._last: list[Update] | None = None

    def start_sequence(self) -> None:
        self._finish_sequence()
        self._accumulators = [self._motmetrics.MOTAccumulator(auto_id=True) for _ in range(NUM_JOINTS)]

    def update(self, truth: People, predicted: People, distance_PLJ: NDArray[np.float64], place: str) -> None:
        """The next frame of the sequence.

        Args:
            distance_PLJ: (predicted people, labelled people, 15) in head sizes; NaN where the joint is no hit.
            place: the frame, for messages.

        Raises:
            PosecliError: somebody has no track id.
        """
        for people, side in ((truth, "labelled"), (predicted, "predicted")):
            if (people.track_ids[people.present.any(axis=1)] == UNKNOWN_TRACK).any():
                raise PosecliError(f"{place}: a {side} person without a track_id, which MOTA needs")
        if self._last is not None:
            for accumulator, (labelled, found, distance) in zip(self._accumulators, self._last, strict=True):
                accumulator.update(labelled, found, distance)
        self._last = [_joint_update(truth, predicted, distance_PLJ, joint) for joint in range(NUM_JOINTS)]

    def _finish_sequence(self) -> None:
        if self._last is not None:
            for joint, accumulator in enumerate(self._accumulators):
                counts = self._compute(
                    accumulator, metrics=list(COUNTS), return_dataframe=False, name="joint"
                )
                for name in COUNTS:
                    self._totals[name][joint] += counts[name]
        self._accumulators, self._last = [], None

    def report(self) -> Report:
        """MOTA (columns), MOTA_joints, and precision and recall of tracking (totals), in per cent."""
        self._finish_sequence()
        rows: Report = {"MOTA": {}, "MOT_precision": {}, "MOT_recall": {}}
        for joint, name in enumerate(POSETRACK17.keypoints):
            misses, switches, false, objects, found = (float(self._totals[count][joint]) for count in COUNTS)
            rows["MOTA"][name] = 100 * (1 - _ratio(misses + switches + false, objects))
            rows["MOT_precision"][name] = 100 * _ratio(found, false + found)
            rows["MOT_recall"][name] = 100 * _ratio(found, objects)
        totals = {name: {MEAN: mean_of_numbers(joints)} for name, joints in rows.items()}
        mota = table_row(rows["MOTA"], POSETRACK17, totals["MOTA"][MEAN])
        return totals | {"MOTA": mota, "MOTA_joints": rows["MOTA"]}


def _joint_update(truth: People, predicted: People, distance_PLJ: NDArray[np.float64], joint: int) -> Update:
    """Ids of both sides and distances (labelled, predicted) of one joint on one frame."""
    if not len(truth) or not len(predicted):
        # poseval: a frame that lacks one side is one miss and one false positive, however many there were.
        return [0], [0], np.full((1, 1), np.nan)
    labelled, found = truth.present[:, joint], predicted.present[:, joint]
    distance = distance_PLJ[:, :, joint][np.ix_(found, labelled)].T
    return truth.track_ids[labelled].tolist(), predicted.track_ids[found].tolist(), distance


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
