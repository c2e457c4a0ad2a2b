"""The metric that a dataset's results are told in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from posecli.metrics.protocol import DatasetMetric

if TYPE_CHECKING:
    from posecli.data.datasets import Dataset


def metric_of(dataset: Dataset, *, mota: bool = False) -> DatasetMetric:
    """A new metric.

    Args:
        mota: also MOTA; only PoseTrack's metric knows it.

    Raises:
        PosecliError: a package that the metric needs is not installed.
    """
    if dataset.metric == "posetrack":
        from posecli.metrics.posetrack import PoseTrackMetric

        return PoseTrackMetric("posetrack21" if dataset.name == "posetrack21" else "posetrack", mota=mota)
    if dataset.metric == "pck":
        from posecli.metrics.jhmdb import JhmdbPck

        return JhmdbPck()
    from posecli.metrics.oks import OksMetric

    return OksMetric()
