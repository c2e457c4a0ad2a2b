"""Jitter: how far a keypoint is from the middle of where it was before and is after.

Shapes: n sightings, K keypoints.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality.sightings import Sightings
from posecli.types import FloatArray, IntArray


def triples(sightings: Sightings) -> IntArray:
    """(m, 3) places of the same person on three consecutive frames."""
    rows = zip(sightings.source.tolist(), sightings.track_id.tolist(), sightings.frame.tolist(), strict=True)
    place = {key: number for number, key in enumerate(rows)}
    found = [
        (place[source, track, frame - 1], here, place[source, track, frame + 1])
        for (source, track, frame), here in place.items()
        if (source, track, frame - 1) in place and (source, track, frame + 1) in place
    ]
    return np.array(found, np.int64).reshape(-1, 3)


def jitter(sightings: Sightings, points_nK2: FloatArray) -> float:
    """Mean length of the second difference, in box heights, of the joints that are labelled on all three frames.

    The same joints count for every method, and for the labels themselves (pass their keypoints). NaN without any.
    """
    before, here, after = triples(sightings).T
    length_mK = np.linalg.norm(points_nK2[before] - 2 * points_nK2[here] + points_nK2[after], axis=-1)
    length_mK = length_mK / sightings.height[here, None]
    labelled_mK = sightings.labelled[before] & sightings.labelled[here] & sightings.labelled[after]
    return float(length_mK[labelled_mK].mean()) if labelled_mK.any() else float("nan")
