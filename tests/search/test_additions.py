"""What may enter the deployed model."""

import numpy as np
import pytest

from composable.search.ensemble import is_as_scored, is_worth_adding


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, True), (0.5, True), (1.02, True), (1.5, False), (6.0, False)]
)
def test_a_further_network_must_be_as_good_on_its_rows_as_the_others_on_theirs(factor, expected):
    rng = np.random.default_rng(0)
    scored, further = rng.chisquare(1, 3000), factor * rng.chisquare(1, 600)
    assert is_worth_adding(further, scored) is expected


@pytest.mark.parametrize(("factor", "expected"), [(0.3, True), (1.0, True), (1.3, False)])
def test_a_model_must_do_no_worse_than_the_predictions_it_was_chosen_by(factor, expected):
    scored = np.random.default_rng(0).chisquare(1, 2000)
    assert is_as_scored(factor * scored, scored) is expected


def test_next_to_perfect_models_may_differ_by_rounding():
    assert is_as_scored(np.full(100, 1.7e-7), np.full(100, 1.4e-7))
