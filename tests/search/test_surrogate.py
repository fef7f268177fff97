"""What a few scores say of others."""

from itertools import product

import numpy as np
import pytest

from composable.search.surrogate import Points, expected_improvement, predicted

SETTINGS = np.array(list(product((0, 1), repeat=5)), float)


def points(rows):
    return Points(SETTINGS[rows], 2 * SETTINGS[rows].mean(axis=1, keepdims=True) - 1)


def test_what_is_known_is_predicted_and_what_is_far_is_uncertain():
    scores = SETTINGS @ np.array([3.0, 1.0, 0.5, 0.2, 0.1])
    known, others = np.arange(0, 32, 3), np.setdiff1d(np.arange(32), np.arange(0, 32, 3))
    mean, deviation = predicted(points(known), scores[known], points(known))
    far, unsure = predicted(points(known), scores[known], points(others))
    np.testing.assert_allclose(mean, scores[known], atol=0.3)
    assert np.corrcoef(far, scores[others])[0, 1] > 0.95
    assert unsure.mean() > deviation.mean() > 0


def test_scores_that_are_all_the_same_and_no_measures_are_no_difficulty():
    bare = Points(SETTINGS[:3], np.zeros((3, 0)))
    mean, deviation = predicted(bare, np.ones(3), Points(SETTINGS[3:], np.zeros((29, 0))))
    np.testing.assert_allclose(mean, 1.0)
    assert np.isfinite(deviation).all()


def test_expected_improvement_counts_chances():
    found = expected_improvement(np.array([0.0, 0.0, 1.0, -9.0]), np.array([1.0, 2.0, 1e-9, 1e-9]), 0.0)
    np.testing.assert_allclose(found, [1 / np.sqrt(2 * np.pi), 2 / np.sqrt(2 * np.pi), 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_unit_of_scores_makes_no_difference(scale):
    scores = SETTINGS @ np.array([3.0, 1.0, 0.5, 0.2, 0.1])
    one, other = (
        predicted(points([0, 3, 9, 20]), s * scores[[0, 3, 9, 20]], points([1, 2])) for s in (1, scale)
    )
    np.testing.assert_allclose(np.array(other), scale * np.array(one), rtol=1e-6)
