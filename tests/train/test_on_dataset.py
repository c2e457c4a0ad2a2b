"""A recipe turned to a dataset: whose joints are trained."""

from pathlib import Path

import pytest

from posecli.train.on_dataset import on_dataset, run_folder
from posecli.train.recipe import load_recipe
from posecli.weights.presets import load_preset


@pytest.mark.parametrize(
    ("model", "dataset", "skeleton"),
    [
        ("glsmamba-b", "posetrack17", "posetrack17"),
        ("glsmamba-b", "posetrack18", "posetrack17"),
        ("glsmamba-b", "posetrack21", "posetrack17"),
        ("glsmamba-h", "sub-jhmdb", "jhmdb"),
        ("glsmamba-b", "clips", "coco"),
        ("glsmamba-t", "posetrack17", "coco"),
        ("glsmamba-t", "sub-jhmdb", "coco"),
    ],
)
def test_joints_follow_the_dataset_unless_the_encoders_heatmaps_are_built_on(model, dataset, skeleton):
    recipe = on_dataset(load_recipe("paper", {"model": model}), dataset)
    assert load_preset(recipe.model, recipe.overrides).skeleton == skeleton


def test_a_skeleton_that_was_asked_for_stays(tmp_path):
    asked = on_dataset(load_recipe("paper", {"model.skeleton": "posetrack18"}), "sub-jhmdb", "2")
    assert asked.overrides == {"skeleton": "posetrack18"}
    assert [(entry.name, entry.split) for entry in asked.data] == [("sub-jhmdb", "2")]
    preset = Path(__file__).parents[2] / "models" / "glsmamba-s.toml"
    mine = tmp_path / "mine.toml"
    mine.write_text(preset.read_text())
    recipe = on_dataset(load_recipe("paper", {"model": str(mine)}), "sub-jhmdb")
    assert load_preset(recipe.model, recipe.overrides).skeleton == "posetrack17"


def test_runs_have_folders_of_their_own():
    recipe = load_recipe("paper", {"model": "glsmamba-s"})
    assert run_folder(recipe, "sub-jhmdb", "2") == Path("runs/sub-jhmdb2-glsmamba-s")
    assert run_folder(load_recipe("paper"), "posetrack17") == Path("runs/posetrack17-glsmamba-b")
