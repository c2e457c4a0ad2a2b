"""Segments, and long ones in blocks."""

import numpy as np
import pytest

import posecli.smooth.trajectory
from posecli.smooth import FILTERS, make_chain
from posecli.smooth.trajectory import median_of, segments
from tests.smooth.people import trajectory


@pytest.mark.parametrize("name", FILTERS)
def test_blocks_change_nothing(monkeypatch, name):
    values = np.random.default_rng(0).normal(0, 9, (200, 3))
    values[[50, 51, 120], 1] = np.nan
    scores = np.random.default_rng(1).uniform(0.1, 1, (200, 3))
    (each,) = make_chain([name]).filters
    whole = each.apply(trajectory(values, scores=scores)).points_TK2
    monkeypatch.setattr(posecli.smooth.trajectory, "BLOCK", 7)
    np.testing.assert_allclose(each.apply(trajectory(values, scores=scores)).points_TK2, whole, atol=1e-9)


def test_segments_end_at_gaps_and_at_missing_frames():
    nan = np.nan
    values = [[1, nan, 3], [1, 2, 3], [1, 2, 3], [1, nan, 3], [1, 2, 3]]
    found = [
        (rows.start, rows.stop, joints)
        for rows, joints in segments(trajectory(values, steps=[0, 1, 2, 3, 9]))
    ]
    assert sorted(found) == [(0, 4, [0, 2]), (1, 3, [1]), (4, 5, [0, 1, 2])]


def test_the_median_is_numpys():
    values = np.random.default_rng(0).normal(0, 1, (50, 4, 7))
    values[np.random.default_rng(1).random(values.shape) < 0.3] = np.nan
    values[..., 0] = 0.5  # at least one number
    np.testing.assert_array_equal(median_of(values), np.nanmedian(values, axis=-1))
