"""The job of a candidate on one fold."""

from __future__ import annotations

import numpy as np

from composable.data.split import Fold
from composable.modality import candidates
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training.candidate import Material
from composable.training.folds import FoldTrainer
from composable.training.stages.stage import Start, set_start
from composable.training.stages.staging import fold_job

ROWS = 90


def test_stages_begin_networks_as_their_training_does():
    rng = np.random.default_rng(0)
    inputs = {"numbers": rng.normal(size=(ROWS, 3)).astype("float32")}
    problem = Problem((Head("y", "regression", ("y",)),), "rmse")
    material = Material(problem, inputs, (inputs["numbers"][:, :1],), ())
    facts = DataFacts(problem, ROWS, material.widths, ())
    realmlp = next(one for one in candidates(facts, seed=0) if one.name == "realmlp")
    trainer = FoldTrainer(realmlp, material)
    fold = Fold(np.arange(60), np.arange(60, ROWS), np.arange(0))
    job, network = fold_job(trainer, fold, seed=0), trainer.build()
    set_start(job, network, Start(job.settings, 1))
    biases = [weight for weight in network.weights if weight.path.endswith("dense/bias")]
    assert biases
    assert all(np.asarray(bias.value).any() for bias in biases)  # its rows move them away from zero
