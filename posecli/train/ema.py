"""An exponential moving average of a model's parameters: steadier weights at no cost in training."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """The averaged copy of a model.

    The decay grows from zero as (1 + step) / (10 + step), so that the first steps do not drag the start along.

    Args:
        model: the model that is trained.
        decay: the final decay a step; 0 makes the copy follow the model.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval()
        self.model.requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        decay = min(self._decay, (1 + step) / (10 + step))
        ours, theirs = self.model.state_dict(), model.state_dict()
        for name, value in ours.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name].to(value.dtype), 1 - decay)
            else:
                value.copy_(theirs[name])

    def state_dict(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.model.load_state_dict(state)
