"""The samples of every step, prepared by worker processes.

A step's batch is divided into parts: among the processes of a distributed run, and in each of them into the parts
whose gradients are accumulated. Which sample has which place in the batch does not depend on the division.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from posecli.data.mixture import Key, Mixture
from posecli.errors import PosecliError, UsageError
from posecli.train.distributed import Processes
from posecli.train.recipe import Recipe
from posecli.train.tasks import Task


def count_samples(recipe: Recipe, datasets: Sequence[Dataset[Any]]) -> list[int]:
    """How many samples each dataset has.

    Raises:
        PosecliError: there is no dataset, or one without samples.
    """
    lengths = [len(dataset) for dataset in datasets]  # type: ignore[arg-type]
    if not lengths:
        raise PosecliError("the recipe names no data: add a [[data]] table")
    for entry, length in zip(recipe.data, lengths, strict=True):
        if length == 0:
            raise PosecliError(
                f"dataset '{entry.name}' has nothing to train on; check its labels or leave it out"
            )
    return lengths


def step_batches(
    task: Task,
    datasets: Sequence[Dataset[Any]],
    recipe: Recipe,
    first_step: int,
    workers: int,
    processes: Processes,
) -> Iterator[list[Any]]:
    """For each step from first_step on, this process's parts of the batch, collated.

    Raises:
        UsageError: the batch has fewer samples than parts.
    """
    lengths = count_samples(recipe, datasets)
    shares = [entry.share for entry in recipe.data]
    mixture = Mixture(lengths, shares, recipe.batch, recipe.seed, first_step, recipe.steps)
    loader = DataLoader(
        KeyedDatasets(datasets),
        batch_sampler=BatchParts(mixture, recipe.batch, recipe.accumulate, processes),
        collate_fn=task.collate,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_prepare_worker,
        pin_memory=processes.device.type == "cuda",
        generator=torch.Generator(),  # leaves the global one alone
    )
    parts = iter(loader)
    for _ in range(first_step, recipe.steps):
        yield [next(parts) for _ in range(recipe.accumulate)]


class BatchParts:
    """Every step's batch in parts, this process's ones (a PyTorch batch sampler).

    Part p of n holds the samples at places p, p + n, p + 2n, ... of the batch; process r of R accumulates over
    parts r, r + R, r + 2R, ...
    """

    def __init__(self, mixture: Mixture, batch: int, accumulate: int, processes: Processes) -> None:
        self._mixture, self._accumulate, self._processes = mixture, accumulate, processes
        self._parts = accumulate * processes.count
        if batch < self._parts:
            raise UsageError(
                f"a batch of {batch} can't be divided into {self._parts} parts ({processes.count} processes, each "
                f"accumulating over {accumulate}): use a larger batch or fewer parts"
            )

    def __len__(self) -> int:
        return len(self._mixture) * self._accumulate

    def __iter__(self) -> Iterator[list[Key]]:
        for keys in self._mixture:
            for part in range(self._processes.rank, self._parts, self._processes.count):
                yield keys[part :: self._parts]


class KeyedDatasets(Dataset[Any]):
    """Several datasets, an item taken by its Key."""

    def __init__(self, datasets: Sequence[Dataset[Any]]) -> None:
        self._datasets = datasets

    def __getitem__(self, key: Key) -> Any:
        return self._datasets[key.dataset][key]


def to_device(batch: Any, device: torch.device) -> Any:
    """The batch with its tensors, alone or in a dict, on the device."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {name: to_device(value, device) for name, value in batch.items()}
    return batch


def _prepare_worker(worker: int) -> None:
    """One thread a worker: the cores belong to the training. And it ends with the training, not before it."""
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    # A terminal or a cluster's scheduler signals the whole group of processes, while the step still needs its data.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
