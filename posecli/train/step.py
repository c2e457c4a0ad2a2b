"""One training step: the gradient of the whole batch, whatever parts it comes in, and the optimiser's update."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from posecli.train.batches import to_device
from posecli.train.checkpoint import RunState
from posecli.train.distributed import Processes, without_exchange
from posecli.train.losses import Loss
from posecli.train.optimizer import set_rate
from posecli.train.recipe import Recipe
from posecli.train.seeding import seed_step
from posecli.train.tasks import Task


class Step:
    """Takes steps of a run.

    Losses of the batch's parts are sums, and so are their gradients over all parts and processes; they are divided
    once, by the whole batch's count (see posecli.train.losses.Loss). What depends on a part alone stays so: batch
    norms take their statistics from each part, and their running statistics are the first process's.
    """

    def __init__(self, task: Task, recipe: Recipe, state: RunState, processes: Processes) -> None:
        self._recipe, self._state, self._processes = recipe, state, processes
        self._losses = processes.share(_TaskLoss(task, state.model))
        self.restart_clock()

    def restart_clock(self) -> None:
        """What is done between steps, such as evaluating, is not part of the speed."""
        self._started = time.perf_counter()

    def __call__(self, parts: Sequence[Any]) -> dict[str, float]:
        """Make a step on the parts of a batch that are this process's, and count it.

        Returns:
            What to log: the loss, the task's own values, learning rate, gradient norm and samples a second.
        """
        recipe, state = self._recipe, self._state
        rate = set_rate(state.optimizer, recipe, state.step)
        seed_step(recipe.seed, state.step, self._processes.rank)
        state.model.train()
        state.optimizer.zero_grad(set_to_none=True)
        values = self._backward(parts)
        norm = nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip_norm)
        # One batch that overflows must not undo an hour: it is passed over.
        if torch.isfinite(norm):
            state.optimizer.step()
            state.average.update(state.model, state.step)
        state.step += 1
        speed = recipe.batch / (time.perf_counter() - self._started)
        return {**values, "rate": rate, "norm": float(norm), "samples_per_second": speed}

    def _backward(self, parts: Sequence[Any]) -> dict[str, float]:
        """Fill the gradients of the loss of the whole batch; the means over it of the loss and the task's values."""
        device, sums = self._processes.device, _Sums()
        for number, part in enumerate(parts, start=1):
            with nullcontext() if number == len(parts) else without_exchange(self._losses):
                with torch.autocast(device.type, torch.bfloat16, enabled=self._recipe.bf16):
                    loss = self._losses(to_device(part, device))
                loss.total.backward()
            sums.add(loss)
        count, *totals = self._processes.sum([sums.count, *sums.totals.values()])
        divisor = max(count, 1.0)
        for parameter in self._state.model.parameters():
            if parameter.grad is not None:
                # Exchanged gradients are averages over the processes.
                parameter.grad.mul_(self._processes.count / divisor)
        return {name: total / divisor for name, total in zip(sums.totals, totals, strict=True)}


class _Sums:
    """Loss and values of a batch's parts, added up."""

    def __init__(self) -> None:
        self.count = 0.0
        self.totals: dict[str, float] = {"loss": 0.0}

    def add(self, loss: Loss) -> None:
        count = float(loss.count)
        self.count += count
        self.totals["loss"] += float(loss.total.detach())
        for name, value in loss.values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value * count


class _TaskLoss(nn.Module):
    """A task's loss as a module: what DistributedDataParallel can wrap."""

    def __init__(self, task: Task, model: nn.Module) -> None:
        super().__init__()
        self._task, self._model = task, model

    def forward(self, batch: Any) -> Loss:
        return self._task.loss(self._model, batch)
