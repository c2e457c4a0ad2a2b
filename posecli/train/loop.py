"""The training loop: one for every task."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from posecli.data.mixture import Key, Mixture
from posecli.errors import PosecliError
from posecli.nn.s6 import NO_WEIGHT_DECAY
from posecli.train import checkpoint
from posecli.train.checkpoint import RunState
from posecli.train.ema import Average
from posecli.train.recipe import Recipe
from posecli.train.schedule import learning_rate
from posecli.train.tasks import Task


class Observer(Protocol):
    """Told what happens in a run; the command line shows it."""

    def on_start(self, state: RunState, recipe: Recipe) -> None: ...

    def on_step(self, step: int, values: dict[str, float]) -> None: ...

    def on_evaluation(self, step: int, values: dict[str, float]) -> None: ...


def train(
    task: Task,
    recipe: Recipe,
    folder: Path,
    device: torch.device,
    observer: Observer,
    *,
    resume: bool,
    workers: int,
) -> Path:
    """Run a recipe to its end and export the averaged weights.

    Args:
        folder: gets last.pt (the resumable state), log.csv, quality.csv and the exported weights.
        resume: go on from folder/last.pt where there is one.
        workers: processes that prepare samples.

    Returns:
        The exported file.
    """
    torch.manual_seed(recipe.seed)
    model = task.build_model().to(device).to(memory_format=torch.channels_last)
    state = RunState(model, make_optimizer(model, recipe), Average(model, recipe.ema))
    if resume:
        checkpoint.load(folder, state)
    observer.on_start(state, recipe)
    saved = time.monotonic()
    # What an interrupted run logged after its last checkpoint is about to happen again.
    evaluated = min(state.step, recipe.steps - 1)
    with (
        CsvLog(folder / "log.csv", last_step=state.step) as log,
        CsvLog(folder / "quality.csv", last_step=evaluated) as quality_log,
    ):
        for batch in _batches(task, recipe, state.step, workers):
            values = _step(task, recipe, state, batch, device)
            state.step += 1
            if state.step % recipe.log_every == 0 or state.step == recipe.steps:
                log.write({"step": state.step, **values})
                observer.on_step(state.step, values)
            if state.step % recipe.evaluate_every == 0 and state.step < recipe.steps:
                _evaluate(task, state, quality_log, observer)
            if time.monotonic() - saved > recipe.checkpoint_seconds:
                checkpoint.save(folder, state)
                saved = time.monotonic()
        checkpoint.save(folder, state)
        quality = _evaluate(task, state, quality_log, observer)
    # The file travels: where this machine kept the start of the run is nobody's business.
    portable = replace(recipe, init=Path(recipe.init).name)
    notes = {"recipe": repr(portable), "steps": str(state.step), "quality": repr(quality)}
    return task.export(state.average.model, folder, notes)


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; no decay on biases, norms, A_log and D; pretrained parameters at recipe.backbone_rate of the rate."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decays = parameter.ndim > 1 and name.rpartition(".")[2] not in NO_WEIGHT_DECAY
            groups.setdefault((decays, "backbone." in name), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "weight_decay": recipe.weight_decay if decays else 0.0,
                "rate": recipe.backbone_rate if pretrained else 1.0,
            }
            for (decays, pretrained), parameters in groups.items()
        ],
        lr=recipe.learning_rate,
    )


def _step(task: Task, recipe: Recipe, state: RunState, batch: Any, device: torch.device) -> dict[str, float]:
    started = time.perf_counter()
    rate = learning_rate(recipe, state.step)
    for group in state.optimizer.param_groups:
        group["lr"] = rate * group["rate"]
    state.model.train()
    with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bf16):
        loss, values = task.loss(state.model, _move(batch, device))
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip_norm)
    # One batch that overflows must not undo an hour: it is passed over.
    if torch.isfinite(norm):
        state.optimizer.step()
        state.average.update(state.model, state.step)
    seconds = time.perf_counter() - started
    rates = {"rate": rate, "norm": float(norm), "samples_per_second": recipe.batch / seconds}
    return {"loss": float(loss.detach()), **values, **rates}


def _evaluate(task: Task, state: RunState, log: CsvLog, observer: Observer) -> dict[str, float]:
    quality = task.evaluate(state.average.model)
    log.write({"step": state.step, **quality})
    observer.on_evaluation(state.step, quality)
    return quality


def _batches(task: Task, recipe: Recipe, first_step: int, workers: int) -> Iterator[Any]:
    datasets = task.datasets()
    lengths = [len(dataset) for dataset in datasets]  # type: ignore[arg-type]
    if not lengths:
        raise PosecliError("the recipe names no data: add a [[data]] table")
    for entry, length in zip(recipe.data, lengths, strict=True):
        if length == 0:
            raise PosecliError(
                f"dataset '{entry.name}' has nothing to train on; check its labels or leave it out"
            )
    shares = [entry.share for entry in recipe.data]
    mixture = Mixture(lengths, shares, recipe.batch, recipe.seed, first_step, recipe.steps)
    return iter(
        DataLoader(
            KeyedDatasets(datasets),
            batch_sampler=mixture,
            collate_fn=task.collate,
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            worker_init_fn=_quiet_worker,
            generator=torch.Generator(),  # leaves the global one, which checkpoints restore, alone
        )
    )


class KeyedDatasets(Dataset[Any]):
    """Several datasets, an item taken by its Key."""

    def __init__(self, datasets: list[Dataset[Any]]) -> None:
        self._datasets = datasets

    def __getitem__(self, key: Key) -> Any:
        return self._datasets[key.dataset][key]


def _quiet_worker(worker: int) -> None:
    """One thread a worker: the cores belong to the training."""
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _move(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {name: _move(value, device) for name, value in batch.items()}
    return batch


class CsvLog:
    """Rows of numbers, one a line, flushed at once; columns are those of the first row, the first of them "step".

    Args:
        path: an earlier log there goes on.
        last_step: the earlier log's rows of later steps are dropped; 0 begins anew.
    """

    def __init__(self, path: Path, last_step: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = _rows_until(path, last_step) if last_step > 0 else []
        self._stream = path.open("w", newline="")
        self._writer = csv.writer(self._stream)
        self._writer.writerows(kept)
        self._stream.flush()

    def write(self, row: dict[str, float]) -> None:
        if self._stream.tell() == 0:
            self._writer.writerow(row)
        self._writer.writerow(
            round(value, 6) if isinstance(value, float) else value for value in row.values()
        )
        self._stream.flush()

    def __enter__(self) -> CsvLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _rows_until(path: Path, last_step: int) -> list[list[str]]:
    """The header and the rows of a log up to a step; a line that a kill cut off is left out."""
    if not path.is_file():
        return []
    with path.open(newline="") as stream:
        header, *rows = list(csv.reader(stream)) or [[]]
    whole = [row for row in rows if len(row) == len(header)]
    return [header] + [row for row in whole if int(row[0]) <= last_step] if header else []
