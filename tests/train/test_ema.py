"""The averaged weights against the plain recursion."""

import pytest
import torch
from torch import nn

from posecli.train.ema import Average


def with_weight(value):
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(model[0].weight, value)
    return model


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_average_follows_the_recursion(decay):
    average = Average(with_weight(1.0), decay)
    expected = 1.0
    for step, value in enumerate([3.0, -2.0, 5.0, 0.5]):
        average.update(with_weight(value), step)
        d = min(decay, (1 + step) / (10 + step))
        expected = d * expected + (1 - d) * value
        assert float(average.model[0].weight) == pytest.approx(expected, rel=1e-5)


def test_decay_is_reached_in_the_end():
    average = Average(with_weight(1.0), 0.99)
    average.update(with_weight(2.0), 10**6)
    assert float(average.model[0].weight) == pytest.approx(1.01)


def test_norm_statistics_are_averaged_and_counters_copied():
    model = with_weight(1.0)
    average = Average(model, 0.9)
    model.train()(torch.tensor([[1.0], [5.0]]))
    average.update(model, 0)
    assert int(average.model[1].num_batches_tracked) == 1
    assert float(average.model[1].running_mean) == pytest.approx(0.9 * float(model[1].running_mean))


def test_average_is_apart_from_the_model_and_never_trains():
    model = with_weight(1.0)
    average = Average(model.train(), 0.9)
    nn.init.constant_(model[0].weight, 7.0)
    assert float(average.model[0].weight) == 1.0
    assert not average.model.training
    assert not any(p.requires_grad for p in average.model.parameters())
