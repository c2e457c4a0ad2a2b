"""The training loop: one for every task."""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

import torch

from posecli.errors import UsageError
from posecli.train import checkpoint
from posecli.train.batches import count_samples, step_batches
from posecli.train.checkpoint import RunState
from posecli.train.distributed import Processes
from posecli.train.ema import Average
from posecli.train.interruption import Interruption, RunStoppedError
from posecli.train.logs import CsvLogs
from posecli.train.observer import Observer, Observers
from posecli.train.optimizer import make_optimizer
from posecli.train.recipe import Recipe
from posecli.train.schedule import with_steps
from posecli.train.seeding import MODEL_STEP, seed_step
from posecli.train.step import Step
from posecli.train.tasks import Task


def train(
    task: Task,
    recipe: Recipe,
    folder: Path,
    device: torch.device,
    observer: Observer,
    *,
    resume: bool,
    workers: int,
    processes: Processes | None = None,
    deliberate: Collection[str] = (),
) -> Path | None:
    """Run a recipe to its end and export the averaged weights.

    Args:
        folder: gets last.pt (the resumable state), log.csv, quality.csv and the exported weights.
        observer: told of what happens; in the first process only.
        resume: go on from folder/last.pt where there is one.
        workers: processes that prepare samples.
        processes: those that share the work, on their devices (posecli.train.distributed); by default this one alone.
        deliberate: fields of the recipe in which a resumed run may differ from what it was.

    Returns:
        The exported file; None in other processes than the first.

    Raises:
        RunStoppedError: a signal told the run to end, which it did after a whole step and a checkpoint.
        PosecliError: there is nothing to train on, or the folder holds no checkpoint of this run.
    """
    processes = processes or Processes(device)
    datasets = task.datasets()
    recipe = with_steps(recipe, count_samples(recipe, datasets))
    seed_step(recipe.seed, MODEL_STEP)
    model = task.build_model().to(processes.device).to(memory_format=torch.channels_last)
    state = RunState(model, make_optimizer(model, recipe), Average(model, recipe.ema))
    if resume:
        checkpoint.load(folder, state, recipe, deliberate)
    _check_agreement(state, processes, folder)
    take_step = Step(task, recipe, state, processes)
    observers = [CsvLogs(folder), observer] if processes.is_first else []
    with Interruption() as interruption, Observers(observers) as told:
        run = _Run(task, recipe, folder, state, processes, interruption, told)
        told.on_start(state, recipe)
        for parts in step_batches(task, datasets, recipe, state.step, workers, processes):
            values = take_step(parts)
            told.on_step(state.step, values)
            if state.step % recipe.log_every == 0 or state.step == recipe.steps:
                told.on_log(state.step, values)
            if state.step % recipe.evaluate_every == 0 and state.step < recipe.steps:
                run.evaluate()
            run.save_if_due()
            take_step.restart_clock()
        return run.finish()


def _check_agreement(state: RunState, processes: Processes, folder: Path) -> None:
    if processes.sum([state.step]) != [state.step * processes.count]:
        raise UsageError(f"{folder}: must be one folder that all machines of the run share")


class _Run:
    """What happens between the steps: evaluations, checkpoints, the end."""

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        folder: Path,
        state: RunState,
        processes: Processes,
        interruption: Interruption,
        told: Observer,
    ) -> None:
        self._task, self._recipe, self._folder, self._state = task, recipe, folder, state
        self._processes, self._interruption, self._told = processes, interruption, told
        self._saved = time.monotonic()

    def evaluate(self) -> dict[str, float] | None:
        """The averaged model's quality; None in other processes than the first, or if a signal ended it."""
        if not self._processes.is_first:
            return None
        state = self._state
        quality = self._interruption.attempt(partial(self._task.evaluate, state.average.model))
        if quality is not None:
            self._told.on_evaluation(state.step, quality)
            if self._recipe.keep_best:
                self._keep_if_best(quality)
        return quality

    def save_if_due(self) -> None:
        """A checkpoint if the last one is old enough or the run is over; all processes decide alike.

        Raises:
            RunStoppedError: a signal came, to any of them.
        """
        is_old = time.monotonic() - self._saved > self._recipe.checkpoint_seconds
        number, is_due = self._processes.largest([self._interruption.number, is_old])
        if number or is_due or self._state.step == self._recipe.steps:
            if self._processes.is_first:
                checkpoint.save(self._folder, self._state, self._recipe)
            self._saved = time.monotonic()
        if number and self._state.step < self._recipe.steps:
            raise RunStoppedError(self._folder, self._state.step, int(number))

    def finish(self) -> Path | None:
        """The last evaluation, and the exported file.

        Raises:
            RunStoppedError: a signal ended the evaluation.
        """
        quality = self.evaluate()
        is_stopped = self._processes.is_first and quality is None
        [number] = self._processes.largest([self._interruption.number if is_stopped else 0])
        if number:
            raise RunStoppedError(self._folder, self._state.step, int(number))
        return None if quality is None else self._export(self._folder, quality)

    def _keep_if_best(self, quality: dict[str, float]) -> None:
        figure = next(iter(quality.values()))
        if self._state.best is None or figure > self._state.best:
            self._state.best = figure
            best = self._folder / "best"
            best.mkdir(exist_ok=True)
            self._export(best, quality)

    def _export(self, folder: Path, quality: dict[str, float]) -> Path:
        state = self._state
        notes = {"recipe": repr(self._recipe.portable()), "steps": str(state.step), "quality": repr(quality)}
        return self._task.export(state.average.model, folder, notes)
