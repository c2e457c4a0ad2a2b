"""Random numbers as a function of seed, step and process."""

import random

import numpy as np
import pytest
import torch

from posecli.train.seeding import MODEL_STEP, seed_step


def drawn(*arguments):
    seed_step(*arguments)
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_the_same_step_draws_the_same():
    first = drawn(3, 17)
    torch.rand(5), random.random(), np.random.rand(2)
    assert drawn(3, 17) == first


@pytest.mark.parametrize("other", [(4, 17), (3, 18), (3, 17, 1), (17, 3), (3, MODEL_STEP)])
def test_everything_else_draws_something_else(other):
    assert all(ours != theirs for ours, theirs in zip(drawn(3, 17), drawn(*other), strict=True))
