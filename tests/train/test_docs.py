"""docs/training.md: its commands parse, its recipes and fields are there, its sizes are right."""

import re
import shlex
from math import prod
from pathlib import Path

import pytest

from posecli.train.recipe import load_recipe, parse_override
from posecli.train.schedule import learning_rate, with_steps
from posecli.weights.presets import load_preset
from tests.cli.test_docs import find

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
COMMANDS = re.findall(r"^(?:torchrun .* )?posecli (\w+) (.+)$", TEXT, re.M)


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_commands_parse(name, arguments):
    find(name).make_context(name, shlex.split(arguments))


@pytest.mark.parametrize("arguments", [rest for name, rest in COMMANDS if name == "train"])
def test_overrides_are_fields(arguments):
    words = shlex.split(arguments)
    changes = dict(parse_override(words[i + 1]) for i, word in enumerate(words) if word == "--set")
    name = words[words.index("--recipe") + 1] if "--recipe" in words else "paper"
    recipe = load_recipe(name, changes)
    load_preset(recipe.model, recipe.overrides)


@pytest.mark.parametrize(
    ("model", "megabytes"), [("glsmamba-b", "7.9"), ("glsmamba-lr", "1.5"), ("glsmamba-t", "1.0")]
)
def test_sizes_of_cached_windows(model, megabytes):
    """T x channels x grid numbers of two bytes, and the heatmaps where the model builds on them."""
    config = load_preset(model)
    numbers = config.encoder.channels * prod(config.temporal.grid)
    if config.temporal.base_heatmaps == "encoder":
        numbers += 17 * prod(config.encoder_heatmap_size)
    assert f"{2 * config.input.frames * numbers / 1e6:.1f}" == megabytes
    assert f"{megabytes} MB" in " ".join(TEXT.split())


def test_the_papers_recipe_is_the_papers():
    """Section 4.1: AdamW at 1e-4, 1e-5 from epoch 6 and 1e-6 from epoch 12 on, 20 epochs."""
    recipe = with_steps(load_recipe("paper"), [1600])
    assert recipe.steps == 20 * 1600 / recipe.batch
    epoch = recipe.steps // 20
    rates = [
        learning_rate(recipe, step) for step in (0, 6 * epoch - 1, 6 * epoch, 12 * epoch - 1, 12 * epoch)
    ]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5, 1e-6])
    assert recipe.weight_decay == 0.01
    assert load_preset(recipe.model).heatmap.loss == "mse"
    assert load_preset(recipe.model).encoder.frozen
    assert not recipe.degrade
