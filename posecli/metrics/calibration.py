"""Whether scores are what they say: probabilities that a keypoint is near its place.

Shapes: N keypoints.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from posecli.geometry.heatmaps import LOGIT_MARGIN
from posecli.types import FloatArray

Binning = Literal["mass", "width"]
BINS = 15  # as in Guo et al., "On calibration of modern neural networks", ICML 2017
# Of the prior that draws a law to the identity, in keypoints: it only matters where there are few of them.
PRIOR = 1.0

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """Keypoints of like scores."""

    count: int
    score: float  # mean
    hit: float  # share of hits


def reliability(
    scores_N: FloatArray, hits_N: Bools, binning: Binning = "mass", bins: int = BINS
) -> list[Bin]:
    """A reliability diagram's points, by score; empty bins are left out.

    Args:
        binning: "mass", bins of equally many keypoints; "width", of equal parts of 0..1.
    """
    order = np.argsort(scores_N, kind="stable")
    score_N, hit_N = np.asarray(scores_N, np.float64)[order], np.asarray(hits_N, np.float64)[order]
    if binning == "mass":
        ends = np.linspace(0, len(score_N), bins + 1).round().astype(int)
    else:
        inner = np.searchsorted(score_N, np.linspace(0, 1, bins + 1)[1:-1])
        ends = np.concatenate([[0], inner, [len(score_N)]])
    return [
        Bin(int(end - start), float(score_N[start:end].mean()), float(hit_N[start:end].mean()))
        for start, end in pairwise(ends)
        if end > start
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of score and share of hits over keypoints (Guo et al., eq. 3)."""
    total = sum(group.count for group in bins)
    return (
        sum(group.count * abs(group.score - group.hit) for group in bins) / total if total else float("nan")
    )


def brier(scores_N: FloatArray, hits_N: Bools) -> float:
    """The mean squared distance of score and outcome (Brier, 1950): calibration and sharpness in one, 0 is perfect."""
    return float(np.mean((np.asarray(scores_N, np.float64) - hits_N) ** 2)) if len(scores_N) else float("nan")


def fit_law(scores_N: FloatArray, hits_N: Bools) -> tuple[float, float]:
    """(slope, offset) of posecli.geometry.heatmaps.calibrate that make hits likeliest.

    A weak Gaussian prior around the identity (PRIOR) keeps the law finite where all are hits or none.
    """
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    x_N = logit(np.clip(np.asarray(scores_N, np.float64), LOGIT_MARGIN, 1 - LOGIT_MARGIN))
    y_N = np.asarray(hits_N, np.float64)

    def cost(law: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z_N = law[0] * x_N + law[1]
        drift = law - (1.0, 0.0)
        residual_N = expit(z_N) - y_N
        gradient = np.array([residual_N @ x_N, residual_N.sum()]) + PRIOR * drift
        return float(np.logaddexp(0, z_N).sum() - y_N @ z_N + PRIOR / 2 * drift @ drift), gradient

    # A slope of no more than 0 would turn scores round.
    found = minimize(
        cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(1e-3, None), (None, None)]
    )
    return float(found.x[0]), float(found.x[1])


def folds(places: Sequence[Hashable], count: int) -> NDArray[np.int64]:
    """(N,) the fold of each keypoint: no place is in two folds, and folds are about equally large.

    The largest places are dealt out first, each to the fold that is emptiest.
    """
    names, place_N, sizes = np.unique(np.asarray(places), return_inverse=True, return_counts=True)
    fold_of, filled = np.zeros(len(names), np.int64), np.zeros(count, np.int64)
    for place in np.argsort(-sizes, kind="stable"):
        fold_of[place] = np.argmin(filled)
        filled[fold_of[place]] += sizes[place]
    return fold_of[place_N]
