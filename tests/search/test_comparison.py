"""By how much a trial is better than others on the same rows, and what each member of an ensemble brings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from composable.search import comparison
from composable.search.comparison import differences, member_shares
from composable.search.ensemble import blend_members
from composable.search.trial import Trial

EXACT = np.arange(9.0)


@pytest.fixture
def trial_of(predictions_of, scorer):
    def make(number, values, **changes):
        trial = Trial(number, Path(), f"mlp_{number}", "network", **changes)
        trial.predictions = predictions_of(values)
        trial.score = scorer.selection(trial.predictions)
        trial.cost = {"parameters": 1, "bytes": 4, "latency_ms": 0.1}
        return trial

    return make


def test_a_difference_is_positive_where_the_deployed_one_is_better(scorer, trial_of):
    good, bad = trial_of(1, EXACT + 1.0), trial_of(2, EXACT + 3.0)
    (found,) = differences(scorer, good, [bad], seed=0)
    assert (found.trial, found.name, found.role) == (2, "mlp_2", "network")
    assert (found.score, found.difference) == pytest.approx((3.0, 2.0))
    assert (found.low, found.high) == pytest.approx((2.0, 2.0))  # every row differs by as much
    (back,) = differences(scorer, bad, [good], seed=0)
    assert back.difference == pytest.approx(-2.0)


def test_the_interval_holds_zero_where_rows_disagree_and_is_the_same_for_the_same_seed(scorer, trial_of):
    signs = np.repeat([1.0, -1.0, 0.0], 3)
    one, other = trial_of(1, EXACT + 1.0 + signs), trial_of(2, EXACT + 1.0 - signs)
    (found,) = differences(scorer, one, [other], seed=3)
    assert found.low < 0 < found.high
    assert differences(scorer, one, [other], seed=3) == (found,)


def test_of_too_many_values_there_is_a_difference_but_no_interval(scorer, trial_of, monkeypatch):
    monkeypatch.setattr(comparison, "_VALUES", 100)
    (found,) = differences(scorer, trial_of(1, EXACT), [trial_of(2, EXACT + 1)], seed=0)
    assert (found.difference, found.low, found.high) == (pytest.approx(1.0), None, None)


def test_a_member_brings_what_the_others_lack(scorer, trial_of):
    """Two errors that cancel each other, and one member that only disturbs."""
    up, down, odd = trial_of(1, EXACT + 2), trial_of(2, EXACT - 2), trial_of(3, EXACT + 5)
    ensemble = Trial(4, Path(), "ensemble", "ensemble", members=((up, 0.45), (down, 0.45), (odd, 0.1)))
    flat = replace(scorer, split=replace(scorer.split, named_test=True))
    blend_members(ensemble, flat)
    ensemble.score = scorer.selection(ensemble.predictions)
    first, second, third = member_shares(scorer, ensemble)
    assert [one.trial for one in (first, second, third)] == [1, 2, 3]
    assert ensemble.score == pytest.approx(0.5)
    assert third.without == pytest.approx(0.0, abs=1e-9)
    assert third.brings == pytest.approx(-0.5)
    assert second.brings == pytest.approx((0.45 * 2 + 0.1 * 5) / 0.55 - 0.5)
    assert member_shares(scorer, up) == ()
