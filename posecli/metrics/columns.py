"""The columns of the published tables: joints gathered into parts of the body."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from posecli.metrics.protocol import MEAN, Figures
from posecli.skeletons import Skeleton

_HEAD = {
    "posetrack17": ("head_top", "head_bottom", "nose"),
    "posetrack18": ("head_top", "head_bottom", "nose"),
    "jhmdb": ("head",),  # the neck and the belly are in no column
    "coco": ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
}
_LIMB_COLUMNS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")


def column_joints(skeleton: Skeleton) -> dict[str, tuple[str, ...]]:
    """Column -> the joints whose mean it is."""
    limbs = {name: (f"left_{name.lower()}", f"right_{name.lower()}") for name in _LIMB_COLUMNS}
    return {"Head": _HEAD[skeleton.name]} | limbs


def table_row(joints: Mapping[str, float], skeleton: Skeleton, mean: float) -> Figures:
    """A row of the table from its joints' figures; a column with a NaN in it is NaN."""
    row = {
        column: float(np.mean([joints[name] for name in names]))
        for column, names in column_joints(skeleton).items()
    }
    return row | {MEAN: mean}


def mean_of_numbers(figures: Mapping[str, float]) -> float:
    """The mean of those that are no NaN; NaN if there is none."""
    numbers = [value for value in figures.values() if not math.isnan(value)]
    return float(np.mean(numbers)) if numbers else math.nan
