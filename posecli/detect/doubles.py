"""A second box of one person, told from somebody else by its end.

A detector at times sees a person twice, as a whole and as a part, and each box has a track. When the older one ends,
the younger one was the same person all along, and takes over. What tells it from another person who stands there: it
was first seen on the older one, and never apart from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from posecli.types import FloatArray

# Shares of the smaller of two boxes that lies in the other; docs/tracking.md has the measurements.
FIRST_SHARE = 0.3  # at least, when the younger one is first seen
APART_SHARE = 0.2  # less, once, and they are two people
LAST_SHARE = 0.6  # at least, when the older one is last seen
ALONE = 3  # pictures on which the younger one is seen and the older one not


@dataclass(slots=True)
class _Double:
    first: int  # whom it was first seen on
    share: float  # when both were last seen
    alone: int = 0


class Doubles:
    """Who was first seen on whom, and never apart from them."""

    def __init__(self) -> None:
        self._doubles: dict[int, _Double] = {}  # by the younger one's id

    def reset(self) -> None:
        """Forget everybody."""
        self._doubles = {}

    def update(self, boxes: Mapping[int, FloatArray], new: Collection[int]) -> list[tuple[int, int]]:
        """(younger, older) of those whose older one has ended, told once.

        Args:
            boxes: (4,) of everyone on the next picture, by id.
            new: ids that were never seen before.
        """
        for younger in new:
            self._meet(younger, boxes, new)
        ended = []
        for younger, double in list(self._doubles.items()):
            if younger in boxes and self._has_ended(double, boxes[younger], boxes.get(double.first)):
                del self._doubles[younger]
                if double.alone == ALONE and double.share >= LAST_SHARE:
                    ended.append((younger, double.first))
        return ended

    def forget(self, known: Collection[int]) -> None:
        """All but those who are known still."""
        self._doubles = {i: double for i, double in self._doubles.items() if i in known}

    def _meet(self, younger: int, boxes: Mapping[int, FloatArray], new: Collection[int]) -> None:
        shares = {i: shared(boxes[younger], box) for i, box in boxes.items() if i not in new}
        first = max(shares, key=shares.__getitem__, default=None)
        if first is not None and shares[first] >= FIRST_SHARE:
            self._doubles[younger] = _Double(first, shares[first])

    def _has_ended(self, double: _Double, box: FloatArray, first: FloatArray | None) -> bool:
        """Whether the two are apart, or the older one has been gone for long enough."""
        if first is None:
            double.alone += 1
            return double.alone == ALONE
        double.alone, double.share = 0, shared(box, first)
        return double.share < APART_SHARE


def shared(a: FloatArray, b: FloatArray) -> float:
    """The share of the smaller of two boxes (4,) that lies in the other."""
    width, height = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]))
    smaller = min(float(np.prod(a[2:] - a[:2])), float(np.prod(b[2:] - b[:2])))
    return float(width * height) / smaller if smaller > 0 else 0.0
