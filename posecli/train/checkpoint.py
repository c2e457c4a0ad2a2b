"""The state of a run on disk: written beside and moved into place, so that a kill loses no earlier checkpoint.

Of the learning rate, the data's order and the random numbers there is nothing to keep but the step: each is a function
of the recipe and the step (see schedule.py, posecli/data/mixture.py and seeding.py).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from posecli.errors import PosecliError, UsageError
from posecli.train.ema import Average
from posecli.train.recipe import Recipe

FILE_NAME = "last.pt"
# What may differ from the interrupted run's recipe unasked: how long it goes on, and what leaves the steps as they are.
FREE_FIELDS = {
    "steps",
    "epochs",
    "accumulate",
    "log_every",
    "evaluate_every",
    "checkpoint_seconds",
    "keep_best",
}


@dataclass(slots=True)
class RunState:
    """What changes as a run goes on."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average
    step: int = 0
    best: float | None = None  # the best evaluation's first figure


def save(folder: Path, state: RunState, recipe: Recipe) -> None:
    """Write the run's state and its recipe to folder/last.pt, atomically.

    Raises:
        PosecliError: it can't be written; an earlier one is still there.
    """
    content = {
        "step": state.step,
        "best": state.best,
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "average": state.average.state_dict(),
        "recipe": dataclasses.asdict(recipe),
    }
    part = folder / f"{FILE_NAME}.part"
    try:
        with part.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())  # a machine that loses power keeps one of the two whole
        part.replace(folder / FILE_NAME)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        part.unlink(missing_ok=True)
        raise PosecliError(f"{folder / FILE_NAME}: can't be written ({str(error).splitlines()[0]})") from None


def load(folder: Path, state: RunState, recipe: Recipe, deliberate: Collection[str] = ()) -> bool:
    """Fill `state` from folder/last.pt; False if there is none.

    Args:
        recipe: what the run goes on with.
        deliberate: fields of it that may differ from what the run had so far.

    Raises:
        PosecliError: it is not a checkpoint of this model.
        UsageError: the run had another recipe.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return False
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        earlier = content.get("recipe", {})
    except Exception as error:
        raise _no_checkpoint(path, error) from None
    _compare(earlier, dataclasses.asdict(recipe), {*FREE_FIELDS, *deliberate}, path)
    try:
        state.model.load_state_dict(content["model"])
        state.optimizer.load_state_dict(content["optimizer"])
        state.average.load_state_dict(content["average"])
        state.step, state.best = int(content["step"]), content.get("best")
    except Exception as error:
        raise _no_checkpoint(path, error) from None
    return True


def _no_checkpoint(path: Path, error: Exception) -> PosecliError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return PosecliError(f"{path}: not a checkpoint of this model ({reason})")


def _compare(earlier: dict[str, Any], now: dict[str, Any], free: Collection[str], path: Path) -> None:
    # A field that the earlier version of posecli did not know yet had its default's meaning.
    differing = [name for name in earlier.keys() & now.keys() if earlier[name] != now[name]]
    changed = sorted(name for name in differing if name not in free)
    if changed:
        what = "; ".join(f"{name} was {earlier[name]!r}, now {now[name]!r}" for name in changed)
        raise UsageError(
            f"{path}: the run had another recipe: {what}. Give it the same one, or name what shall change with --set"
        )
