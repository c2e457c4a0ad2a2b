"""Keypoints as x, y, score in one list, as OpenPose and AlphaPose have them: 0, 0, 0 is one that was not estimated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posecli.formats.base import shortest
from posecli.types import FloatArray

# Said by every format of this kind.
LOSS = "a keypoint at exactly (0, 0) with score 0 reads as not estimated"


def scored_triples(keypoints: FloatArray, scores: FloatArray) -> list[list[float]]:
    """(n, K, 2) and (n, K) to a list of 3 K numbers a person."""
    triples = np.concatenate([keypoints, scores[..., None]], axis=-1)
    known = np.isfinite(triples[..., :2]).all(axis=-1, keepdims=True)
    triples = shortest(np.where(known & np.isfinite(triples), triples, 0))
    return triples.reshape(len(keypoints), 3 * keypoints.shape[1]).tolist()


def split_triples(triples: NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    """(K, 3) to (K, 2) and (K,), NaN where all three are 0."""
    known = (triples != 0).any(axis=-1, keepdims=True)
    numbers = np.where(known, triples, np.nan).astype(np.float32)
    return numbers[:, :2], numbers[:, 2]
