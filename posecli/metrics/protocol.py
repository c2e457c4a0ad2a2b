"""What every metric of a dataset can do, whoever asks it: `posecli eval` with a model or files, and training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from posecli.skeletons import Skeleton
from posecli.types import Poses

if TYPE_CHECKING:
    from posecli.data.footage import Footage

Figures = dict[str, float]  # by column or joint, in per cent; NaN where there is none
Report = dict[
    str, Figures
]  # rows of the table and what --json writes: {"AP": {"Head": ..., "Mean": ...}, ...}

MEAN = "Mean"  # the column of the headline figure


class DatasetMetric(Protocol):
    """Gathers sequences, then tells the figures of all of them together.

    Memory grows with the number of joints, not with the pictures.
    """

    def update(
        self, footage: Footage, predictions: Mapping[int, Poses], skeleton: Skeleton | None = None
    ) -> None:
        """One sequence.

        Args:
            footage: the ground truth.
            predictions: place in footage.frames -> the people found there; a place that is left out has nobody.
            skeleton: the predictions'; None for the footage's own. Another one is converted.
        """

    def reset(self) -> None:
        """Forgets every sequence."""

    def compute(self) -> Figures:
        """The row of the published tables: columns in their order, MEAN last where the table has it."""

    def report(self) -> Report:
        """Everything: the row of compute first, then what stands beside it."""
