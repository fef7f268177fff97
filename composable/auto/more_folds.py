"""More folds of what won: a network that learned from other rows, if held-out rows speak for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from composable.auto.trainings import MOST_NETWORKS, Trainings
from composable.auto.trial_costs import trainings_that_fit
from composable.problem.scores import constant_losses, row_losses
from composable.search.ensemble import is_worth_adding
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
        fit = trainings_that_fit(member, trainings.left, waiting=len(members) - len(grown))
        missing = tuple(range(len(member.trained), int(min(most_folds, len(member.trained) + fit))))
        if missing and _train_more(member, missing, trainings):
            grown.append(member)
    return grown


def most_folds(shares: Sequence[tuple[Trial, float]], folds: int, most_weights: float) -> float:
    """How many folds each member of what won may be trained on: models must stay small enough."""
    growing = [t for t, _ in shares if t.refit is None]
    weights = sum(t.cost["parameters"] / len(t.deployed_networks) for t in growing)
    room = most_weights - sum(t.cost["parameters"] for t, _ in shares if t.refit is not None)
    return min(folds, MOST_NETWORKS // len(growing), room / weights)


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
    split, material = trainings.prepared.split, trainings.prepared.material
    scales = constant_losses(material.problem, material.targets)

    def losses(rows: np.ndarray, answers: list[np.ndarray]) -> np.ndarray:
        observed = [y[rows] for y in material.targets]
        return row_losses(material.problem, observed, answers, scales)

    def own(one: Trained) -> np.ndarray:
        """The loss of each row that the network stopped by."""
        return losses(split.folds[one.fold].held_out, trial.answers(one, one.held_out))

    scored = np.concatenate([own(one) for one in trial.trained[: split.scored_folds]])
    if not is_worth_adding(own(network), scored):
        return False
    rows = split.folds[0].test
    if not len(rows):
        return True
    each = [trial.answers(one, one.test) for one in (*trial.trained, network)]
    averages = [[np.mean(head, axis=0) for head in zip(*some, strict=True)] for some in (each[:-1], each)]
    before, after = (losses(rows, one).mean() for one in averages)
    return bool(after <= before)
