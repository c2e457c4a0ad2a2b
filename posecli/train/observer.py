"""Who wants to know what happens in a run: its log files, a terminal. (PyTorch is not imported for it.)"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posecli.train.checkpoint import RunState
    from posecli.train.recipe import Recipe

Values = dict[str, float]


class Observer:
    """Told what happens in a run. Each method does nothing here: override what is of interest."""

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        """Before the first step, or the first after a checkpoint: state.step have been made."""

    def on_step(self, step: int, values: Values) -> None:
        """After every step."""

    def on_log(self, step: int, values: Values) -> None:
        """After every recipe.log_every-th step, and the last: of the steps, those that are kept."""

    def on_evaluation(self, step: int, values: Values) -> None:
        """The quality, after recipe.evaluate_every steps, and at the end."""

    def close(self) -> None:
        """The run has ended, well or not."""


class Observers(Observer):
    """Several as one; a context manager that closes them all."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        for observer in self._observers:
            observer.on_start(state, recipe)

    def on_step(self, step: int, values: Values) -> None:
        for observer in self._observers:
            observer.on_step(step, values)

    def on_log(self, step: int, values: Values) -> None:
        for observer in self._observers:
            observer.on_log(step, values)

    def on_evaluation(self, step: int, values: Values) -> None:
        for observer in self._observers:
            observer.on_evaluation(step, values)

    def close(self) -> None:
        for observer in self._observers:
            observer.close()

    def __enter__(self) -> Observers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
