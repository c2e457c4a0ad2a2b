"""PCK by source, joint and kind of harm, for every method, as plain tables for the JSON.

PCK@t: the share of labelled keypoints within t times the height of the person's box (posecli.metrics.pck).

Shapes: n sightings, K keypoints.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.quality.bootstrap import paired_difference
from benchmarks.quality.jitter import jitter
from benchmarks.quality.looking import Looked
from benchmarks.quality.networks import FLIPPED, THUNDER, WHOLE
from benchmarks.quality.sightings import Bools
from posecli.metrics.pck import THRESHOLDS
from posecli.skeletons import COCO
from posecli.train.tasks.sources import MIN_KEYPOINTS
from posecli.types import FloatArray

Row = dict[str, Any]


def row(looked: Looked, chosen_nK: Bools | None = None) -> Row:
    """Number of labelled keypoints, and of each method the share within each of THRESHOLDS.

    Args:
        chosen_nK: which keypoints count; None: all.
    """
    shares: dict[str, list[float]] = {}
    count = 0
    for method, points in looked.points.items():
        distance = looked.sightings.distances(points)
        counted = distance[~np.isnan(distance) & (True if chosen_nK is None else chosen_nK)]
        count = len(counted)
        shares[method] = [float((counted <= limit).mean()) if count else float("nan") for limit in THRESHOLDS]
    return {"keypoints": count, "pck": shares}


def by_source(looked: Looked) -> list[Row]:
    rows = []
    for source in sorted(set(looked.sightings.source.tolist())):
        for human in (True, False):
            chosen = (looked.sightings.source == source) & (looked.sightings.human == human)
            if chosen.any():
                labels = "human" if human else "teacher"
                rows.append(
                    {"source": source, "labels": labels, "people": int(chosen.sum())} | row(looked[chosen])
                )
    return rows


def by_joint(looked: Looked) -> list[Row]:
    """Left and right together."""
    rows = []
    for name, indices in joint_pairs().items():
        chosen_nK = np.zeros(looked.sightings.labelled.shape, bool)
        chosen_nK[:, indices] = True
        rows.append({"joint": name} | row(looked, chosen_nK))
    return rows


def joint_pairs() -> dict[str, list[int]]:
    """COCO's joints without their sides."""
    pairs: dict[str, list[int]] = {}
    for index, name in enumerate(COCO.keypoints):
        pairs.setdefault(name.removeprefix("left_").removeprefix("right_"), []).append(index)
    return pairs


def against(looked: Looked, unit_n: np.ndarray, method: str = WHOLE) -> Row:
    """The method's PCK@0.1 minus each other's, with the bootstrap's interval over units; nothing of nobody.

    Args:
        unit_n: (n,) what is drawn independently: a person, or the name of a clip.
    """
    units, number_n = np.unique(unit_n, return_inverse=True)
    if not len(units):
        return {}
    hits = {name: _per_unit(looked, points, number_n, len(units)) for name, points in looked.points.items()}
    weight = np.bincount(number_n, looked.sightings.labelled.sum(1), len(units))
    return {
        other: asdict(paired_difference(hits[method], hits[other], weight)) | {"units": len(units)}
        for other in hits
        if other != method
    }


def differences(looked: Looked, unit_n: np.ndarray) -> Row:
    """What the whole model has over every other method, and what it has over Thunder with the flip test."""
    flipped = against(looked, unit_n, FLIPPED) if FLIPPED in looked.points else {}
    return {
        "difference": against(looked, unit_n),
        "flipped_difference": {other: gap for other, gap in flipped.items() if other == THUNDER},
    }


def _per_unit(looked: Looked, points_nK2: FloatArray, number_n: np.ndarray, count: int) -> np.ndarray:
    hits_n = (looked.sightings.distances(points_nK2) <= THRESHOLDS[0]).sum(1)  # NaN is no hit
    return np.bincount(number_n, hits_n, count)


def human_labelled(stills: Looked) -> Row:
    """People with at least MIN_KEYPOINTS joints labelled by people: accuracy, and the difference from the others."""
    enough = stills.sightings.labelled.sum(1) >= MIN_KEYPOINTS
    human = stills[stills.sightings.human & enough]
    everyone = np.arange(len(human.sightings))
    result = {"people": len(human.sightings), "joints": by_joint(human)} | row(human)
    return result | differences(human, everyone)


def agreement(everyone: Looked) -> Row:
    """With the labels that a teacher gave."""
    taught = everyone[~everyone.sightings.human]
    return {"people": len(taught.sightings), "joints": by_joint(taught)} | row(taught)


def of_kind(clips: Looked) -> Row:
    """One kind of harm, or none: all frames, the harmed ones, the hidden joints, and clip by clip."""
    harmed = clips[clips.sightings.touched]
    return (
        row(clips)
        | {
            "harmed": row(harmed) | differences(harmed, harmed.sightings.source),
            "hidden": row(clips, clips.sightings.covered),
            "clips": by_source(clips),
            "jitter": jitters(clips),
        }
        | differences(clips, clips.sightings.source)
    )


def jitters(clips: Looked) -> Row:
    """Of every method, and of the labels on the same joints and frames."""
    sightings = clips.sightings
    return {"labels": jitter(sightings, sightings.keypoints)} | {
        method: jitter(sightings, points) for method, points in clips.points.items()
    }
