"""A recipe turned to a dataset: what `posecli train --dataset NAME` trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from posecli.errors import UsageError
from posecli.skeletons import POSETRACK17, POSETRACK18
from posecli.train.recipe import DataShare, Recipe

DEFAULT_RECIPE = "paper"


def on_dataset(recipe: Recipe, dataset: str, split: str = "") -> Recipe:
    """The recipe with this dataset instead of its own.

    A preset that draws heatmaps of its own gets the dataset's joints (for all of PoseTrack its 15 labelled ones). One
    that builds on its encoder's heatmaps keeps the encoder's, and a model from a user's file, or with a skeleton in
    recipe.overrides, keeps what is written there.

    Args:
        dataset: a name in posecli.data.datasets.DATASETS.
        split: which of its splits: 1, 2 or 3 for sub-jhmdb; "": the only one, or its first.

    Raises:
        UsageError: no such dataset or split.
        PosecliError: the recipe's model is unknown.
    """
    from posecli.data.datasets import get_dataset

    entry = get_dataset(dataset)
    if split and split not in entry.folds:
        known = f"choose {', '.join(entry.folds)}" if len(entry.folds) > 1 else "it has one only"
        raise UsageError(f"--split {split}: no split of {dataset}; {known}")
    recipe = replace(recipe, data=(DataShare(name=dataset, split=split),))
    if recipe.task != "temporal" or "skeleton" in recipe.overrides or Path(recipe.model).suffix == ".toml":
        return recipe
    skeleton = POSETRACK17 if entry.skeleton is POSETRACK18 else entry.skeleton
    return replace(recipe, overrides=_with_skeleton(recipe, skeleton.name))


def _with_skeleton(recipe: Recipe, skeleton: str) -> dict[str, object]:
    from posecli.weights.presets import load_preset

    config = load_preset(recipe.model, recipe.overrides)
    keeps = config.temporal.base_heatmaps == "encoder" or config.skeleton == skeleton
    return recipe.overrides if keeps else recipe.overrides | {"skeleton": skeleton}


def run_folder(recipe: Recipe, dataset: str, split: str = "") -> Path:
    """Where a run goes unless it is told: runs/DATASET-MODEL."""
    return Path("runs") / f"{dataset}{split}-{Path(recipe.model).stem}"
