"""Average precision of one joint as poseval computes it: all-point interpolation over everything pooled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def average_precision(
    scores: NDArray[np.float64], hits: NDArray[np.bool_], positives: int
) -> tuple[float, float, float]:
    """AP, and precision and recall of all predictions together, in per cent.

    The area under the precision envelope (PASCAL VOC 2010 and later). Equal scores are taken in the order of numpy's
    `argsort()[::-1]`, which poseval uses and which is not stable: the input has to be in poseval's order.

    Args:
        scores: (n,) of the predicted joints.
        hits: (n,) which of them are right.
        positives: how many are labelled. With none, recall and AP are NaN; with no predictions all three are 0.
    """
    if not len(scores):
        return 0.0, 0.0, 0.0
    found = np.cumsum(hits[scores.argsort()[::-1]])
    precision = found / np.arange(1, len(found) + 1)
    if not positives:
        return math.nan, 100 * float(precision[-1]), math.nan
    recall = found / positives
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(recall, prepend=0.0)
    return 100 * float(np.sum(steps * envelope)), 100 * float(precision[-1]), 100 * float(recall[-1])
