"""How a training shows itself: a live view on a terminal, lines of text in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from posecli.train.observer import Observer, Values

if TYPE_CHECKING:
    from posecli.train.checkpoint import RunState
    from posecli.train.recipe import Recipe

# Steps of small crops are followed by steps of large ones, and evaluations come in between.
SPEED_SECONDS = 600.0


def make_view() -> Observer:
    """The live view where standard output is a terminal; else lines of text."""
    console = Console()
    return LiveView(console) if console.is_terminal else Lines()


class Lines(Observer):
    """Shows a run as lines of text."""

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        typer.echo(_beginning(state, recipe))

    def on_log(self, step: int, values: Values) -> None:
        typer.echo(f"step {step}  " + "  ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def on_evaluation(self, step: int, values: Values) -> None:
        typer.echo(_quality(step, values))


class LiveView(Observer):
    """A bar with the time left, and under it the last step's figures; evaluations stay as lines above."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("step"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            speed_estimate_period=SPEED_SECONDS,
            expand=True,
        )
        self._bar = TaskID(0)

    def on_start(self, state: RunState, recipe: Recipe) -> None:
        self._progress.console.print(_beginning(state, recipe), highlight=False)
        self._bar = self._progress.add_task("", total=recipe.steps, completed=state.step, figures="")
        self._progress.start()

    def on_step(self, step: int, values: Values) -> None:
        figures = (
            f"loss {values['loss']:.4g}, rate {values['rate']:.2g}, {values['samples_per_second']:.3g}/s"
        )
        self._progress.update(self._bar, completed=step, figures=figures)

    def on_evaluation(self, step: int, values: Values) -> None:
        self._progress.console.print(_quality(step, values), highlight=False)

    def close(self) -> None:
        self._progress.stop()


def _beginning(state: RunState, recipe: Recipe) -> str:
    count = sum(p.numel() for p in state.model.parameters() if p.requires_grad)
    return f"{recipe.task}: {count:,} trainable parameters, step {state.step} of {recipe.steps}"


def _quality(step: int, values: Values) -> str:
    return f"quality at {step}  " + "  ".join(f"{name} {value:.3f}" for name, value in values.items())
