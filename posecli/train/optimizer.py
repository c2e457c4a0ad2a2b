"""AdamW and what it treats differently: no decay where it would harm, slower steps where much is known already."""

from __future__ import annotations

import torch
from torch import nn

from posecli.nn.s6 import NO_WEIGHT_DECAY
from posecli.train.recipe import Recipe
from posecli.train.schedule import learning_rate


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


def set_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, step: int) -> float:
    """Give every group its learning rate of a step; returns the rate itself."""
    rate = learning_rate(recipe, step)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate"]
    return rate
