"""Calibration: figures worked by hand, laws that are known, and splits that leak nothing."""

import numpy as np
import pytest
import torch

from posecli.geometry.heatmaps import calibrate
from posecli.metrics.calibration import Bin, brier, calibration_error, fit_law, folds, reliability

SCORES = np.array([0.9, 0.1, 0.8, 0.3], np.float32)
HITS = np.array([True, False, False, True])


def drawn(slope, offset, count=40_000, seed=0):
    """Raw scores, and hits that follow a known law of them."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.02, 0.98, count)
    chance = 1 / (1 + np.exp(-(slope * np.log(raw / (1 - raw)) + offset)))
    return raw.astype(np.float32), rng.random(count) < chance


def test_bins_of_equal_mass_by_hand():
    bins = reliability(SCORES, HITS, "mass", 2)
    assert [group.count for group in bins] == [2, 2]
    assert [group.score for group in bins] == pytest.approx([0.2, 0.85])
    assert [group.hit for group in bins] == [0.5, 0.5]
    assert calibration_error(bins) == pytest.approx((0.3 + 0.35) / 2)


def test_bins_of_equal_width_by_hand():
    bins = reliability(SCORES, HITS, "width", 4)  # 0.1 | 0.3 | nobody | 0.9 and 0.8
    assert [group.count for group in bins] == [1, 1, 2]
    assert [group.hit for group in bins] == [0.0, 1.0, 0.5]
    assert calibration_error(bins) == pytest.approx((0.1 + 0.7 + 2 * 0.35) / 4)


def test_scores_on_the_borders_are_in_a_bin():
    bins = reliability(np.array([0.0, 0.5, 1.0]), np.array([False, True, True]), "width", 2)
    assert bins == [Bin(1, 0.0, 0.0), Bin(2, 0.75, 1.0)]


def test_brier_by_hand():
    assert brier(SCORES, HITS) == pytest.approx((0.01 + 0.01 + 0.64 + 0.49) / 4)


def test_nothing_has_no_figure():
    empty = np.zeros(0)
    assert reliability(empty, empty.astype(bool)) == []
    assert np.isnan(calibration_error([]))
    assert np.isnan(brier(empty, empty.astype(bool)))


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.6, -0.8), (1.7, 0.5)])
def test_a_known_law_is_found_again(slope, offset):
    raw, hits = drawn(slope, offset)
    assert fit_law(raw, hits) == pytest.approx((slope, offset), abs=0.05)


def test_the_fitted_law_calibrates():
    raw, hits = drawn(0.5, -1.0)
    fresh, fresh_hits = drawn(0.5, -1.0, seed=1)
    slope, offset = (torch.tensor([value]) for value in fit_law(raw, hits))
    scores = calibrate(torch.from_numpy(fresh)[:, None], slope, offset)[:, 0].numpy()
    assert calibration_error(reliability(fresh, fresh_hits)) > 0.1
    assert calibration_error(reliability(scores, fresh_hits)) < 0.015
    assert brier(scores, fresh_hits) < brier(fresh, fresh_hits)


@pytest.mark.parametrize("outcome", [True, False])
def test_laws_stay_finite_where_all_are_hits_or_none(outcome):
    law = fit_law(np.array([0.0, 0.5, 1.0], np.float32), np.full(3, outcome))
    assert np.isfinite(law).all()
    assert law[0] > 0


def test_scores_that_mislead_are_not_turned_round():
    raw = np.linspace(0.01, 0.99, 500)
    assert fit_law(raw, raw < 0.5)[0] > 0


def test_no_place_is_in_two_folds_and_folds_are_even():
    places = ["clip"] * 50 + ["other"] * 48 + [f"picture {i}" for i in range(100)]
    fold = folds(places, 4)
    for name in set(places):
        assert len({f for f, place in zip(fold.tolist(), places, strict=True) if place == name}) == 1
    assert sorted(np.bincount(fold).tolist()) == [49, 49, 50, 50]  # pictures fill up what the clips left
