"""One network that learned from the rows of all folds, by what those of the folds have chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from composable.auto.trainings import Trainings
from composable.search.trial import Trial

_LONGER = 4  # times as long as a fold takes a closed-form fit on all rows, with no other beside it
_STEPS_LONGER = 1.4  # times as long as its training takes a network on all rows


def closed_form_refits(trial: Trial, trainings: Trainings) -> list[Trial]:
    """The closed-form fits of what is to be deployed that one network of all rows can take the place of."""
    each = [t for t, _ in trial.shares if t.network.solver is not None and t.refit is None]
    return [t for t in each if len(t.trained) > 1 and _time_gained(t, trainings) + trainings.left > 0]


def _time_gained(trial: Trial, trainings: Trainings) -> float:
    """The seconds by which compiling many networks to deploy them takes longer than one, and fitting that."""
    expected, networks = trainings.expected(trial), len(trial.trained)
    return (networks - 2) * expected.compiling - _LONGER * expected.epoch / networks


def refits_that_fit(trial: Trial, trainings: Trainings) -> list[Trial]:
    """The members that haven't learned from all rows; none, and a note, if time doesn't suffice for all."""
    members = [t for t, _ in trial.shares if t.refit is None]
    if sum(t.seconds for t in members) * _STEPS_LONGER <= trainings.left:
        return members
    trainings.book.note("The time doesn't suffice to fit once more on all rows.")
    return []


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
