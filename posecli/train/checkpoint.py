"""The state of a run on disk: written beside and moved into place, so that a kill loses no earlier checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from posecli.errors import PosecliError
from posecli.train.ema import Average

FILE_NAME = "last.pt"


@dataclass(slots=True)
class RunState:
    """What changes as a run goes on. The data's order is a function of the seed and the step (see data/mixture)."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average
    step: int = 0


def save(folder: Path, state: RunState) -> None:
    """Write the run's state to folder/last.pt, atomically."""
    content = {
        "step": state.step,
        "model": state.model.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "average": state.average.state_dict(),
        "torch_rng": torch.get_rng_state(),
    }
    part = folder / f"{FILE_NAME}.part"
    try:
        torch.save(content, part)
        part.replace(folder / FILE_NAME)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        part.unlink(missing_ok=True)
        raise PosecliError(f"{folder / FILE_NAME}: can't be written ({str(error).splitlines()[0]})") from None


def load(folder: Path, state: RunState) -> bool:
    """Fill `state` from folder/last.pt; False if there is none.

    Raises:
        PosecliError: it is not a checkpoint of this model.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return False
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state.model.load_state_dict(content["model"])
        state.optimizer.load_state_dict(content["optimizer"])
        state.average.load_state_dict(content["average"])
        torch.set_rng_state(content["torch_rng"])
        state.step = int(content["step"])
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PosecliError(f"{path}: not a checkpoint of this model ({reason})") from None
    return True
