"""What can be trained. A task builds the model and its data, and says what the loss and the quality are.

To add one: write a file here with a class that fulfils Task, and name it in make_task.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.data import Dataset

from posecli.errors import PosecliError
from posecli.train.losses import Loss
from posecli.train.recipe import Recipe

CPU = torch.device("cpu")


class Task(Protocol):
    """One trainable part of the system."""

    def build_model(self) -> nn.Module: ...

    def datasets(self) -> list[Dataset[Any]]:
        """In the order of recipe.data; an item is taken by a posecli.data.mixture.Key."""
        ...

    def collate(self, samples: list[Any]) -> Any: ...

    def loss(self, model: nn.Module, batch: Any) -> Loss:
        """The loss of a batch, or of a part of one, and what else to log."""
        ...

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Quality on the validation split, by name."""
        ...

    def export(self, model: nn.Module, folder: Path, notes: dict[str, str]) -> Path:
        """Write the trained part as fp16 safetensors; notes go into the file's metadata."""
        ...


def make_task(
    recipe: Recipe,
    data: Path | None,
    cache: Path,
    device: torch.device = CPU,
    say: Callable[[str], None] = lambda text: None,
) -> Task:
    """The task of a recipe.

    Args:
        data: the datasets' folder; None: each as posecli.data.datasets.find_data finds it.
        cache: folder for decoded clips and cached features.
        device: where the model is going to be trained.
        say: told what takes long before the first step.
    """
    if recipe.task == "encoder":
        from posecli.train.tasks.encoder import EncoderTask

        return EncoderTask(recipe, data, cache, say)
    if recipe.task == "detector":
        from posecli.train.tasks.detector import DetectorTask

        return DetectorTask(recipe, data, cache, say)
    if recipe.task == "temporal":
        from posecli.train.tasks.temporal import TemporalTask

        return TemporalTask(recipe, data, cache, device, say)
    raise PosecliError(f"task '{recipe.task}' is unknown; known: detector, encoder, temporal")
