"""AP50 and recall by hand."""

import math
import sys

import numpy as np
import pytest

from posecli.errors import PosecliError
from posecli.metrics.boxes import BoxMetric, greedy_match, iou
from posecli.types import Boxes


def boxes(*rows):
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Boxes(table[:, :4], table[:, 4])


def array(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def update(metric, detected, labels, crowd=None, height=100):
    metric.update(detected, labels, np.array(crowd or [False] * len(labels), bool), height)


def test_iou():
    others = array([0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 5, 5])
    assert iou(array([0, 0, 10, 10])[0], others).tolist() == pytest.approx([1, 1 / 3, 0, 1 / 4])


def test_each_detection_finds_one_person():
    # Two people nearly in one place: the sure detection takes the better one, the other needs its own.
    people = array([0, 0, 10, 10], [0, 0, 10, 12])
    assert greedy_match(boxes([0, 0, 10, 12, 0.9]), people).tolist() == [False, True]
    assert greedy_match(boxes([0, 0, 10, 12, 0.9], [0, 0, 10, 11.9, 0.5]), people).tolist() == [True, True]
    assert greedy_match(boxes([0, 0, 10, 4.9, 0.9]), people).tolist() == [False, False]
    assert greedy_match(Boxes.empty(), people).tolist() == [False, False]
    assert greedy_match(boxes([0, 0, 1, 1, 1]), array()).tolist() == []


def test_recall_by_height():
    pytest.importorskip("pycocotools")
    metric = BoxMetric(threshold=0.3)
    labels = array([0, 0, 5, 20], [10, 0, 20, 40], [30, 0, 40, 45], [50, 0, 80, 90])
    found = boxes([0, 0, 5, 20, 0.9], [10, 0, 20, 40, 0.31], [30, 0, 40, 45, 0.29])
    update(metric, found, labels)
    result = metric.compute()
    assert (result["recall"], result["recall_small"]) == (0.5, 1)
    assert (result["recall_medium"], result["recall_large"]) == (0.5, 0)
    assert result["recall_tall"] == pytest.approx(1 / 3)


def test_ap50_by_hand():
    """Three people. By score: right, wrong, right; one is missed.

    Precision at the recalls 1/3 and 2/3 is 1 and 2/3; of the 101 recalls 0, 0.01, ... 1, the first 34 are up to 1/3,
    the next 33 up to 2/3, and the rest is not reached.
    """
    pytest.importorskip("pycocotools")
    metric = BoxMetric()
    update(metric, boxes([0, 0, 10, 10, 0.9], [50, 50, 60, 60, 0.8]), array([0, 0, 10, 11], [30, 0, 40, 10]))
    update(metric, boxes([0, 0, 10, 10, 0.7]), array([0, 0, 10, 10]))
    assert metric.compute()["ap50"] == pytest.approx((34 + 33 * 2 / 3) / 101)


def test_crowds_neither_help_nor_hurt():
    pytest.importorskip("pycocotools")
    metric = BoxMetric()
    found = boxes([0, 0, 10, 10, 0.5], [50, 50, 70, 60, 0.9])  # the surer one lies in the crowd
    update(metric, found, array([0, 0, 10, 10], [40, 40, 90, 90]), [False, True])
    result = metric.compute()
    assert result["ap50"] == pytest.approx(1)
    assert result["recall"] == 1


def test_nothing_detected_and_nothing_labelled():
    pytest.importorskip("pycocotools")
    metric = BoxMetric()
    update(metric, Boxes.empty(), array([0, 0, 10, 10]))
    assert metric.compute()["ap50"] == 0
    metric = BoxMetric()
    update(metric, boxes([0, 0, 10, 10, 0.9]), array())
    assert math.isnan(metric.compute()["ap50"])
    assert math.isnan(metric.compute()["recall"])


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    metric = BoxMetric()
    update(metric, boxes([0, 0, 10, 10, 0.9]), array([0, 0, 10, 10]))
    with pytest.raises(PosecliError, match="pip install pycocotools"):
        metric.compute()
