"""PCK by hand."""

import math

import numpy as np
import pytest

from posecli.metrics.pck import PckByGroup, SizedKeypoints


def person(points, weights, height, group):
    return SizedKeypoints(np.array(points, np.float32), np.array(weights, np.float32), height, group)


def test_by_hand():
    zeros = [[0, 0]] * 4
    predicted = np.array(
        [
            [[3, 4], [0, 10], [10.1, 0], [99, 99]],  # 5, 10 and 10.1 of 100 pixels; one without a label
            [[0, 4], [0, 5], [0, 6], [0, 11]],  # 0.08, 0.1, 0.12 and 0.22 of 50 pixels
        ],
        np.float32,
    )
    metric = PckByGroup()
    metric.update(predicted[:1], [person(zeros, [1, 2, 1, 0], 100.0, "b")])
    metric.update(predicted[1:], [person(zeros, [1, 1, 1, 1], 50.0, "a")])
    result = metric.compute()
    assert list(result) == ["pck@0.1", "pck@0.2", "a pck@0.1", "b pck@0.1"]
    assert result["pck@0.1"] == pytest.approx(4 / 7)
    assert result["pck@0.2"] == pytest.approx(6 / 7)
    assert (result["a pck@0.1"], result["b pck@0.1"]) == pytest.approx((2 / 4, 2 / 3))


def test_nothing_labelled_is_no_number():
    assert math.isnan(PckByGroup().compute()["pck@0.1"])
    metric = PckByGroup()
    metric.update(np.zeros((1, 2, 2), np.float32), [person([[0, 0]] * 2, [0, 0], 10.0, "a")])
    assert math.isnan(metric.compute()["a pck@0.1"])


def test_every_person_needs_a_prediction():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        PckByGroup().update(np.zeros((2, 1, 2), np.float32), [person([[0, 0]], [1], 1.0, "a")])
