"""PCK: the share of keypoints within a fraction of the person's size of their labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posecli.types import FloatArray

THRESHOLDS = (0.1, 0.2)


class Labelled(Protocol):
    """What PCK needs to know of a person."""

    @property
    def keypoints(self) -> FloatArray: ...  # (K, 2)

    @property
    def weights(self) -> FloatArray: ...  # (K,) 0: not labelled

    @property
    def box_height(self) -> float: ...  # in the unit of keypoints

    @property
    def group(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SizedKeypoints:
    """The plainest Labelled."""

    keypoints: FloatArray
    weights: FloatArray
    box_height: float
    group: str


class PckByGroup:
    """PCK of the box's height at THRESHOLDS, over all keypoints and by group of people."""

    def __init__(self) -> None:
        self._distances: dict[str, list[FloatArray]] = defaultdict(list)

    def update(self, predicted: FloatArray, people: Sequence[Labelled]) -> None:
        """predicted: (n, K, 2) in the unit of the people's keypoints."""
        for points, person in zip(predicted, people, strict=True):
            labelled = person.weights > 0
            distance = (
                np.linalg.norm(points[labelled] - person.keypoints[labelled], axis=-1) / person.box_height
            )
            self._distances[person.group].append(distance)

    def compute(self) -> dict[str, float]:
        """ "pck@0.1", "pck@0.2" over everything, then "GROUP pck@0.1"."""
        groups = {name: np.concatenate(values) for name, values in sorted(self._distances.items())}
        every = np.concatenate(list(groups.values())) if groups else np.zeros(0)
        result = {f"pck@{threshold}": _share(every, threshold) for threshold in THRESHOLDS}
        return result | {
            f"{name} pck@{THRESHOLDS[0]}": _share(d, THRESHOLDS[0]) for name, d in groups.items()
        }


def _share(distances: NDArray[np.floating], threshold: float) -> float:
    return float((distances <= threshold).mean()) if len(distances) else float("nan")
