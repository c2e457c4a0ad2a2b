"""Learning rate and crop size against closed forms."""

import math

import pytest

from posecli.train.recipe import Recipe
from posecli.train.schedule import crop_size, learning_rate, with_steps


def test_warm_up_is_linear():
    recipe = Recipe(task="encoder", learning_rate=2.0, warmup=4, schedule="milestones", milestones=())
    assert [learning_rate(recipe, step) for step in range(6)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_no_warm_up():
    assert learning_rate(Recipe(task="encoder", learning_rate=2.0, warmup=0), 0) == 2.0


def test_cosine_goes_from_all_to_a_hundredth():
    recipe = Recipe(task="encoder", learning_rate=1.0, warmup=1, steps=100)
    assert learning_rate(recipe, 0) == 1.0
    assert learning_rate(recipe, 50) == pytest.approx(0.505)
    assert learning_rate(recipe, 25) == pytest.approx(0.01 + 0.99 * (1 + math.sqrt(0.5)) / 2)
    assert learning_rate(recipe, 100) == pytest.approx(0.01)


def test_milestones_divide_by_ten():
    # The paper's: 20 epochs, x0.1 after the 6th and the 12th.
    recipe = Recipe(
        task="temporal", learning_rate=1.0, warmup=1, steps=20, schedule="milestones", milestones=(0.3, 0.6)
    )
    rates = [learning_rate(recipe, epoch) for epoch in (5, 6, 11, 12, 19)]
    assert rates == pytest.approx([1, 0.1, 0.1, 0.01, 0.01])


def test_milestones_in_epochs_are_those_in_shares():
    plain = {"task": "temporal", "learning_rate": 1.0, "warmup": 1, "schedule": "milestones", "epochs": 20.0}
    by_epochs, by_shares = (
        with_steps(Recipe(**plain, batch=4, milestones=milestones), [30, 11])
        for milestones in ((6.0, 12.0), (0.3, 0.6))
    )
    assert by_epochs.steps == 205  # 20 times 41 samples, four a step
    rates = [learning_rate(by_epochs, step) for step in range(205)]
    assert rates == [learning_rate(by_shares, step) for step in range(205)]
    assert [rates.count(rate) for rate in (1.0, 0.1)] == [62, 61]  # 61.5 and 123 steps end the 6th and 12th


def test_epochs_are_rounded_up_to_a_step():
    recipe = Recipe(task="temporal", epochs=1.0, batch=4)
    assert [with_steps(recipe, lengths).steps for lengths in ([1], [4], [4, 1], [3, 6])] == [1, 1, 2, 3]
    assert with_steps(Recipe(task="temporal", steps=7), [100]).steps == 7


def test_crops_grow():
    recipe = Recipe(task="encoder", steps=100, sizes=((0.0, 192, 144), (0.72, 256, 192)))
    assert [crop_size(recipe, step, (1, 1)) for step in (0, 71, 72, 99)] == [(192, 144)] * 2 + [
        (256, 192)
    ] * 2
    assert crop_size(Recipe(task="encoder"), 50, (64, 48)) == (64, 48)
