"""The learning rate and the crop size over the steps of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from posecli.train.recipe import Recipe

FINAL_RATE = 0.01  # of the cosine, as a share of the first


def with_steps(recipe: Recipe, lengths: Sequence[int]) -> Recipe:
    """The recipe with its epochs, if it has any, as steps.

    Args:
        lengths: number of samples in each dataset. An epoch is as many as all of them have together; the shares of
            the recipe decide how they are mixed.
    """
    if not recipe.epochs:
        return recipe
    return replace(recipe, steps=max(1, math.ceil(recipe.epochs * sum(lengths) / recipe.batch)))


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate at a step (from 0): a linear warm-up, then a cosine to FINAL_RATE, or x0.1 at each milestone."""
    warmup = min(1.0, (step + 1) / max(recipe.warmup, 1))
    progress = step / recipe.steps
    if recipe.schedule == "cosine":
        factor = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress))
    else:
        shares = (m if m <= 1 else m / recipe.epochs for m in recipe.milestones)
        factor = 0.1 ** sum(progress >= share for share in shares)
    return recipe.learning_rate * warmup * factor


def crop_size(recipe: Recipe, step: int, default: tuple[int, int]) -> tuple[int, int]:
    """(height, width) at a step: smaller crops early are most of the learning for half of the time."""
    size = default
    for start, height, width in recipe.sizes:
        if step >= start * recipe.steps:
            size = (int(height), int(width))
    return size
