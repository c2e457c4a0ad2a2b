"""How far a measured difference may be off: the bootstrap over units that were drawn independently (people, clips).

Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3: the percentile interval.

Shapes: n units, R resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 10_000
LEVEL = 0.95
CHUNK = 1000  # resamples at once, so that memory stays small


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


def paired_difference(first: ArrayLike, second: ArrayLike, weight: ArrayLike, seed: int = 0) -> Interval:
    """The pooled share of hits of one method minus another's, on the same units.

    Args:
        first: (n,) hits of each unit.
        second: (n,) the other method's.
        weight: (n,) how many hits were possible.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    gain_n, weight_n = np.asarray(first, float) - np.asarray(second, float), np.asarray(weight, float)
    parts = []
    for start in range(0, RESAMPLES, CHUNK):
        drawn_Rn = rng.integers(0, len(gain_n), (min(CHUNK, RESAMPLES - start), len(gain_n)))
        parts.append(gain_n[drawn_Rn].sum(1) / weight_n[drawn_Rn].sum(1))
    low, high = np.quantile(np.concatenate(parts), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(gain_n.sum() / weight_n.sum()), float(low), float(high))
