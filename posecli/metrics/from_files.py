"""Figures from files alone: ground truth and predictions, each a file or a folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from posecli.metrics.protocol import Report

MetricName = Literal["posetrack", "posetrack21", "pck", "oks"]
METRICS: tuple[MetricName, ...] = get_args(MetricName)


def evaluate_files(metric: MetricName, truth: Path, predicted: Path, *, mota: bool = False) -> Report:
    """The figures of predictions against ground truth.

    Args:
        truth: for "posetrack" and "posetrack21" PoseTrack's annotations in the 2017 or the 2018 form, else COCO style.
        predicted: results in the same form, or any pose file that posecli writes; in folders, of the same name.
        mota: for the PoseTrack metrics, also MOTA.

    Raises:
        PosecliError: files are missing, in no known form, or do not fit to each other.
    """
    if metric in ("posetrack", "posetrack21"):
        from posecli.metrics.posetrack import PoseTrackMetric
        from posecli.metrics.posetrack_files import compared_sequences

        posetrack = PoseTrackMetric("posetrack21" if metric == "posetrack21" else "posetrack", mota=mota)
        for frames in compared_sequences(truth, predicted):
            posetrack.update_frames(frames)
        return posetrack.report()

    from posecli.metrics.coco_files import compared_footage
    from posecli.metrics.jhmdb import JhmdbPck
    from posecli.metrics.oks import OksMetric

    general = OksMetric() if metric == "oks" else JhmdbPck()
    for footage, predictions, skeleton in compared_footage(truth, predicted):
        general.update(footage, predictions, skeleton)
    return general.report()
