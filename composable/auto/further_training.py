"""What is trained of a winner beyond what it was scored by: more folds, all rows at once, the whole file.

Each network is kept only if rows that it didn't learn from speak for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from composable.auto.trainings import Trainings
from composable.problem.scores import constant_losses, row_losses
from composable.search.ensemble import blend_members, is_worth_adding
from composable.search.policy import more_folds
from composable.search.trial import Trial
from composable.training.candidate import Trained

_SHARE = 0.95  # of the time, for what is trained at the very end


def train_more_folds(members: Sequence[Trial], trainings: Trainings, most_folds: float) -> list[Trial]:
    """Train trials on the folds that they weren't scored by, while time allows.

    Args:
        members: They share the time, those with the fewest networks first.
        trainings: Does it.
        most_folds: That each may have.

    Returns:
        Those that have more networks now.
    """
    grown: list[Trial] = []
    for member in sorted(members, key=lambda t: len(t.trained)):
        waiting = len(members) - len(grown)
        missing = more_folds(member, trainings.left, waiting=waiting, most=most_folds)
        if missing and _train_more(member, missing, trainings):
            grown.append(member)
    return grown


def _train_more(trial: Trial, folds: tuple[int, ...], trainings: Trainings) -> bool:
    """Train a trial's networks of these folds too; whether it has more of them now."""
    before = len(trial.trained)
    trainings.book.begun(trial, folds)
    job = trainings.job(trial, folds, trainings.left)
    fitted = trainings.do(trial, replace(job, candidate=replace(trial.network, share=_SHARE)))
    for network in fitted.networks:
        if not _is_worth_adding(trial, network, trainings):
            trainings.book.note(
                f"A further network of {trial.name} is left out: held-out rows speak against it."
            )
            break
        trial.trained.append(network)
    return len(trial.trained) > before


def _is_worth_adding(trial: Trial, network: Trained, trainings: Trainings) -> bool:
    """Whether held-out rows speak for a network beside those that the trial has.

    Its own held-out rows must, and those that no network learned from.
    """
    split = trainings.prepared.split

    def own(one: Trained) -> np.ndarray:
        """The loss of each row that the network stopped by."""
        return _losses(split.folds[one.fold].held_out, trial.answers(one, one.held_out), trainings)

    scored = np.concatenate([own(one) for one in trial.trained[: split.scored_folds]])
    if not is_worth_adding(own(network), scored):
        return False
    rows = split.folds[0].test
    if not len(rows):
        return True
    each = [trial.answers(one, one.test) for one in (*trial.trained, network)]
    averages = [[np.mean(head, axis=0) for head in zip(*some, strict=True)] for some in (each[:-1], each)]
    before, after = (_losses(rows, one, trainings).mean() for one in averages)
    return bool(after <= before)


def refit(trials: Sequence[Trial], rows: Literal["known", "all", "file"], trainings: Trainings) -> None:
    """Give each trial one network that learned from the rows of all its folds; see `Job.refit`."""
    for trial in trials:
        folds = tuple(one.fold for one in trial.trained)
        job = replace(trainings.job(trial, folds, trainings.left), stages=(), refit=rows)
        fitted = trainings.do(trial, job)
        if fitted.failure:
            trainings.book.warn(f"{trial.name} could not be fitted on all rows: {fitted.failure}")
        else:
            (trial.refit,) = fitted.networks


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
    stepwise = stepwise or [(1.0, t) for t in book.deployable if t.network.solver is None]
    if not stepwise:
        book.note(f"No network was trained step by step: what is deployed knows the sample of {rows:,} rows.")
        return None
    learner = max(stepwise, key=lambda one: one[0])[1]
    before, unseen = _unseen_loss(deployed, trainings), len(trainings.prepared.split.folds[0].test)
    refit([learner], "file", trainings)
    if learner.refit is None:
        return None
    predict_again(deployed, [learner], trainings)
    changed = [learner, *(one for one in (deployed,) if any(m is learner for m, _ in one.members))]
    losses = {_unseen_loss(trial, trainings): trial for trial in changed}
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
    predict_again(deployed, [learner], trainings)
    return None


def predict_again(trial: Trial, changed: Sequence[Trial], trainings: Trainings) -> None:
    """What a trial predicts and costs, after the networks of some of its members became others."""
    for member in changed:
        trainings.conclude(member)
        trainings.book.write(member)
    if any(member is one for member, _ in trial.members for one in changed):
        blend_members(trial, trainings.book.scorer)
        trainings.book.write(trial)


def _unseen_loss(trial: Trial, trainings: Trainings) -> float:
    """The mean loss on the rows that no network learned from."""
    rows = trainings.prepared.split.folds[0].test
    return float(np.mean(_losses(rows, [head[rows] for head in trial.final_predictions.test], trainings)))


def _losses(rows: np.ndarray, answers: Sequence[np.ndarray], trainings: Trainings) -> np.ndarray:
    """The loss of each of these rows."""
    material = trainings.prepared.material
    observed = [y[rows] for y in material.targets]
    return row_losses(
        material.problem, observed, answers, constant_losses(material.problem, material.targets)
    )
