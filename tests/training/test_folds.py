"""Networks of one candidate on several folds of the rows."""

import numpy as np

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training.candidate import Candidate, Material
from composable.training.folds import FoldTrainer
from composable.zoo.mlp import linear

ROWS = 90


def test_they_stop_together_at_the_epoch_that_is_best_on_the_mean():
    """Numbers alone: each by itself would stop at another epoch."""
    rng = np.random.default_rng(0)
    problem = Problem((Head("y", "regression", ("y",)),), "rmse")
    inputs = {"numbers": rng.normal(size=(ROWS, 5)).astype("float32")}
    material = Material(problem, inputs, (rng.normal(size=(ROWS, 1)),), ())
    table = DataFacts(problem, ROWS, material.widths, ())
    thirds = np.arange(ROWS).reshape(3, -1)
    folds = {number: Fold(thirds[number], thirds[number - 1], thirds[number - 2]) for number in range(3)}
    settings = Settings(learning_rate=0.05, batch_size=8, epochs=20, patience=None)
    candidate = Candidate("linear", linear(tasks=table.tasks), settings)
    found = FoldTrainer(candidate, material).train(folds, seed=0, deadline=Deadline())
    measures = np.array([[epoch.held_out for epoch in one.history.epochs] for one in found])
    assert len(set(measures.argmin(axis=1))) > 1
    assert {one.history.best_epoch for one in found} == {measures.mean(axis=0).argmin()}
