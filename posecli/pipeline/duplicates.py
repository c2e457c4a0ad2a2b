"""Two tracks, one person: the poses tell.

A detector sometimes sees a person twice, as a whole and as a part; the boxes differ enough to pass as two people, the
skeletons in them do not. Of two people whose skeletons lie on each other, one is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from posecli.skeletons import Skeleton
from posecli.types import FloatArray, Poses

# Skeletons more alike than this (OKS over the joints that both are sure of) are one person's.
DUPLICATE_OKS = 0.8
SURE = 0.3  # score from which a joint counts
MIN_SURE_JOINTS = 5
# A younger track must be this much surer of its joints, on average, to stand in for an older one.
YOUNGER_MARGIN = 0.15
# Frames after which a decision about two tracks is forgotten when they were apart.
MEMORY = 30


def drop_duplicates(stream: Iterable[Poses], skeleton: Skeleton) -> Iterator[Poses]:
    """The same frames without second skeletons of one person.

    Who stays is decided once for two tracks, and holds while they lie on each other: the surer one, and in doubt the
    older one.
    """
    decisions: dict[
        tuple[int, int], tuple[int, int]
    ] = {}  # older id, younger id -> id left out, when last seen
    for poses in stream:
        dropped: set[int] = set()
        for i, j in combinations(np.argsort(poses.tracks.ids, kind="stable").tolist(), 2):
            pair = int(poses.tracks.ids[i]), int(poses.tracks.ids[j])
            if similarity(poses, i, j, skeleton) >= DUPLICATE_OKS:
                loser = decisions[pair][0] if pair in decisions else _loser(poses, i, j)
                decisions[pair] = loser, poses.frame_index
                dropped.add(loser)
        decisions = {p: d for p, d in decisions.items() if poses.frame_index - d[1] <= MEMORY}
        yield _without(poses, dropped)


def similarity(poses: Poses, i: int, j: int, skeleton: Skeleton) -> float:
    """OKS of two people of a frame (COCO's formula, the smaller box as the scale) over joints both are sure of."""
    sure = (poses.scores[i] >= SURE) & (poses.scores[j] >= SURE)
    if sure.sum() < MIN_SURE_JOINTS:
        return 0.0
    area = min(_area(poses.tracks.xyxy[i]), _area(poses.tracks.xyxy[j]))
    squared = ((poses.keypoints[i] - poses.keypoints[j])[sure] ** 2).sum(-1)
    variance = (2 * np.array(skeleton.sigmas)[sure]) ** 2
    return float(np.exp(-squared / (2 * max(area, 1.0) * variance)).mean())


def _loser(poses: Poses, older: int, younger: int) -> int:
    surer = np.nanmean(poses.scores[younger]) > np.nanmean(poses.scores[older]) + YOUNGER_MARGIN
    return int(poses.tracks.ids[older if surer else younger])


def _without(poses: Poses, ids: set[int]) -> Poses:
    if not ids:
        return poses
    keep = ~np.isin(poses.tracks.ids, list(ids))
    return replace(
        poses, tracks=poses.tracks[keep], keypoints=poses.keypoints[keep], scores=poses.scores[keep]
    )


def _area(box: FloatArray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
