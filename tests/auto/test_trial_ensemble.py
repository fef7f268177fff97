"""What an ensemble of trials costs."""

from __future__ import annotations

import numpy as np

from composable.auto.trial_ensemble import blend_members
from composable.problem.problem import Head, Problem
from composable.search.scorer import Scorer
from composable.search.trial import Trial
from tests.search.test_expected import split_of, trial_of


def test_it_took_as_long_as_its_members(tmp_path):
    y = np.random.default_rng(0).normal(size=(440, 1))
    scorer = Scorer(Problem((Head("y", "regression", ("y",)),), "rmse"), split_of(len(y)), (y,))
    members = [
        trial_of(number, scorer, lambda _, rows: y[rows], tmp_path / str(number)) for number in range(2)
    ]
    for member in members:
        member.cost = {"parameters": 1, "bytes": 1, "latency_ms": 1.0}
    trial = Trial(2, tmp_path / "2", "ensemble", "ensemble", members=tuple((one, 0.5) for one in members))
    blend_members(trial, scorer)
    assert trial.seconds == sum(one.seconds for one in members) > 0
