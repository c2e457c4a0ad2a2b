"""AP by hand."""

import math

import numpy as np
import pytest

from posecli.metrics.average_precision import average_precision


def ap(scores, hits, positives):
    return average_precision(np.array(scores, float), np.array(hits, bool), positives)


def test_by_hand():
    """Right, wrong, right, wrong, right of 4: precision 1, 1/2, 2/3, 1/2, 3/5 at recall 1/4, 1/4, 1/2, 1/2, 3/4.

    The envelope is 1, 2/3, 2/3, 3/5, 3/5: 1/4 (1 + 2/3 + 3/5).
    """
    area, precision, recall = ap([0.2, 0.9, 0.7, 0.4, 0.3], [1, 1, 0, 1, 0], 4)
    assert area == pytest.approx(100 * (1 + 2 / 3 + 3 / 5) / 4)
    assert precision == pytest.approx(60)
    assert recall == pytest.approx(75)


def test_a_later_better_precision_counts_for_earlier_recall():
    """Wrong, right, right of 2: precision 0, 1/2, 2/3. The envelope is 2/3 throughout."""
    assert ap([3, 2, 1], [0, 1, 1], 2)[0] == pytest.approx(200 / 3)


def test_nothing_predicted_is_0_and_nothing_labelled_is_no_number():
    assert ap([], [], 3) == (0, 0, 0)
    assert ap([], [], 0) == (0, 0, 0)
    area, precision, recall = ap([0.5], [0], 0)
    assert math.isnan(area)
    assert math.isnan(recall)
    assert precision == 0


def test_equal_scores_follow_numpys_reversed_argsort():
    """What a stable sort would give is another figure."""
    rng = np.random.default_rng(0)
    scores, hits = rng.integers(0, 3, 100).astype(float), rng.random(100) < 0.5
    order = scores.argsort()[::-1]
    distinct = np.empty(100)
    distinct[order] = np.arange(100, 0, -1)  # the same order, without ties
    assert ap(scores, hits, 80) == ap(distinct, hits, 80)
