"""Timing several things side by side: a round runs each of them once, so that another load falls on all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

ROUNDS = 5
BUDGET_S = 20.0  # of one thing: it sits out the rounds after that


@dataclass
class Timed:
    """One thing to time.

    Args:
        labels: what tells its row of the table from the others.
        run: does the work.
        prepare: what has to be there before, untimed; its result is the argument of `run`.
        share: of the whole work that one run does, where all of it would take too long; times are told for the whole.
    """

    labels: dict[str, Any]
    run: Callable[..., Any]
    prepare: Callable[[], Any] | None = None
    share: float = 1.0
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def time_once(self) -> None:
        arguments = () if self.prepare is None else (self.prepare(),)
        wall, cpu = time.perf_counter(), time.process_time()
        self.run(*arguments)
        _wait_for_gpu()
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(time.process_time() - cpu)

    def warm_up(self, budget_s: float = BUDGET_S) -> None:
        """One run that compiles, fills caches and touches the memory; it counts only where it used up the budget."""
        self.time_once()
        if self.wall_s[0] < budget_s:
            self.wall_s.clear()
            self.cpu_s.clear()

    def row(self) -> dict[str, Any]:
        """The labels, and milliseconds for the whole work: median, quartiles, and the least of CPU time."""
        return {
            **self.labels,
            **spread([1000 * seconds / self.share for seconds in self.wall_s]),
            "cpu_ms": 1000 * min(self.cpu_s) / self.share,
            "share": self.share,
        }


def spread(milliseconds: Sequence[float]) -> dict[str, Any]:
    """Median, lower and upper quartile, and of how many runs they are."""
    low, median, high = quartiles(milliseconds)
    return {"ms": median, "low_ms": low, "high_ms": high, "runs": len(milliseconds)}


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile; of one value, itself."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high


def side_by_side(
    things: Sequence[Timed],
    rounds: int = ROUNDS,
    budget_s: float = BUDGET_S,
    told: Callable[[str], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Times all of them, and gives their rows.

    Args:
        told: is called with a line now and then.
    """
    for thing in things:
        thing.warm_up(budget_s)
    for number in range(rounds):
        told(f"round {number + 1} of {rounds}")
        for thing in things:
            if sum(thing.wall_s) < budget_s:
                thing.time_once()
    return [thing.row() for thing in things]


def with_ratios(
    rows: list[dict[str, Any]], reference: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Each row with `ratio`: its time over that of the row that `reference` names for it."""
    return [row | {"ratio": row["ms"] / reference(row)["ms"]} for row in rows]


def _wait_for_gpu() -> None:
    """A launch on a GPU returns before its kernel has run."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
