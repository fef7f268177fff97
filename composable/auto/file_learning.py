"""The best network learns from the whole file of which a sample was searched, if unseen rows speak for it."""

from __future__ import annotations

import numpy as np

from composable.auto.refit import refit
from composable.auto.trainings import Trainings
from composable.auto.trial_ensemble import blend_members
from composable.problem.scores import constant_losses, row_losses
from composable.search.trial import Trial


def learn_from_whole_file(deployed: Trial, trainings: Trainings) -> Trial | None:
    """The model to deploy instead: with one network that learned from the file, alone or in the ensemble.

    Args:
        deployed: What was chosen by the sample.
        trainings: Over the sample.

    Returns:
        The trial that predicts the rows that no network learned from better than what was chosen by the
        sample; None where there is none.
    """
    book, rows = trainings.book, len(trainings.prepared.material.targets[0])
    stepwise = [(weight, t) for t, weight in deployed.shares if t.network.solver is None]
    stepwise = stepwise or [(1.0, t) for t in book.succeeded if t.network.solver is None]
    if not stepwise:
        book.note(f"No network was trained step by step: what is deployed knows the sample of {rows:,} rows.")
        return None
    learner = max(stepwise, key=lambda one: one[0])[1]
    before, unseen = _loss(deployed, trainings), len(trainings.prepared.split.folds[0].test)
    refit([learner], "file", trainings)
    if learner.refit is None:
        return None
    _predict_again(learner, deployed, trainings)
    changed = [learner, *(one for one in (deployed,) if any(m is learner for m, _ in one.members))]
    losses = {_loss(trial, trainings): trial for trial in changed}
    if min(losses) < before:
        book.note(
            f"{learner.name} has learned from the whole file: on {unseen:,} rows that no network saw "
            f"the loss is {min(losses):.4g}, before {before:.4g}."
        )
        return losses[min(losses)]
    book.note(
        f"{learner.name} has learned from the whole file, but rows that no network saw speak against it: "
        f"the model of the sample stays deployed (loss {before:.4g}, then {min(losses):.4g})."
    )
    learner.refit = None
    _predict_again(learner, deployed, trainings)
    return None


def _predict_again(learner: Trial, deployed: Trial, trainings: Trainings) -> None:
    trainings.conclude(learner)
    trainings.book.write(learner)
    if any(member is learner for member, _ in deployed.members):
        blend_members(deployed, trainings.book.scorer)
        trainings.book.write(deployed)


def _loss(trial: Trial, trainings: Trainings) -> float:
    """The mean loss on the rows that no network learned from."""
    material, rows = trainings.prepared.material, trainings.prepared.split.folds[0].test
    observed = [y[rows] for y in material.targets]
    predicted = [head[rows] for head in trial.final_predictions.test]
    scales = constant_losses(material.problem, material.targets)
    return float(np.mean(row_losses(material.problem, observed, predicted, scales)))
