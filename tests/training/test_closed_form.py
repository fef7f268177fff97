"""Closed-form fits predict their held-out rows by hyperparameters that these rows had no part in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.design import Part
from composable.modality import candidates
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training.candidate import Candidate, Material
from composable.training.folds import FoldTrainer
from composable.training.kernel_ridge import kernel_ridge

ROWS, FOLDS = 160, 8


def noise(seed: int) -> Material:
    """Numbers that nothing explains."""
    rng = np.random.default_rng(seed)
    problem = Problem((Head("y", "regression", ("y",)),), "rmse")
    inputs = {"numbers": rng.normal(size=(ROWS, 3)).astype("float32")}
    return Material(problem, inputs, (rng.normal(size=(ROWS, 1)),), ())


def folds_of(rows: int) -> dict[int, Fold]:
    parts = [np.arange(rows)[number::FOLDS] for number in range(FOLDS)]
    everything = np.arange(rows)
    return {n: Fold(np.setdiff1d(everything, part), part, everything[:0]) for n, part in enumerate(parts)}


def kernel_of_many_settings(given: Material) -> Candidate:
    """The kernel of tables, which tries many settings."""
    found = candidates(DataFacts(given.problem, ROWS, given.widths, given.categories), seed=0)
    kernel = next(one for one in found if one.name == "kernel")
    solver = Part(
        kernel_ridge,
        rows=ROWS,
        penalties=(0.1, 0.001, 0.01, 0.03, 0.3, 1.0),
        sharpness=(1.0, 0.1, 0.3, 0.5, 2.0, 4.0, 8.0, 16.0, 32.0),
    )
    return replace(kernel, solver=solver)


def test_noise_is_not_predicted_better_than_by_its_mean():
    folds = folds_of(ROWS)
    trainer = FoldTrainer(kernel_of_many_settings(noise(0)), noise(0))
    missed, spread, by_own_choice = [], [], []
    for seed in range(3):
        trainer.material = noise(seed)
        for network in trainer.train(folds, seed=seed, deadline=Deadline()):
            (step,) = network.postprocessing
            held_out = folds[network.fold].held_out
            observed = (trainer.material.targets[0][held_out] - step.offset) / step.scale
            missed.append(np.mean((network.held_out[0] - observed) ** 2))
            spread.append(np.mean(observed**2))
            by_own_choice.append(network.history.best)
    assert np.mean(by_own_choice) < 0.95 * np.mean(spread)
    assert np.mean(missed) > 0.99 * np.mean(spread)
