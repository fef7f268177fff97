"""How much of a search is still to come: how many candidates, and how long, by what others took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composable.auto.candidate_list import Upcoming
from composable.auto.trainings import Trainings
from composable.search.trial import Trial
from composable.training.candidate import Candidate

_ENOUGH = 2  # trials of a kind, by which others of it are foreseen: the first one is the smallest


@dataclass(frozen=True)
class Outlook:
    """What is to come of a search without a time limit, as far as it is known.

    Attributes:
        begun: Candidates that were begun before.
        left: Candidates still to come or running, at most.
        seconds: For them and for the end; None where no candidate has ended yet.
        at_least: Whether it will be longer: of some that come, hardly any like them has ended.
    """

    begun: int
    left: int
    seconds: float | None
    at_least: bool


def outlook(candidate: Candidate, upcoming: Upcoming, trainings: Trainings) -> Outlook:
    """What is to come when a candidate is about to begin.

    Args:
        candidate: That begins.
        upcoming: Those after it.
        trainings: Those that ended or run.
    """
    networks = [trial for trial in trainings.book.trials if trial.role == "network"]
    running = [trial.candidate for trial in trainings.running_trials if trial.role == "network"]
    left = [*running, candidate, *upcoming.to_come]
    solved, trained = (_seconds(networks, is_solved=which) for which in (True, False))
    each = [solved if one is not None and one.solver is not None else trained for one in left]
    seconds = sum(float(np.mean(known)) for known in each if known) / trainings.executor.workers
    at_least = any(len(known) < _ENOUGH for known in each)
    return Outlook(
        len(networks), len(left), seconds + trainings.ending if solved or trained else None, at_least
    )


def _seconds(networks: Sequence[Trial], *, is_solved: bool) -> list[float]:
    """What the trials took that came to their end, solved for or trained step by step."""
    done = (one for one in networks if one.status == "done")
    return [one.seconds for one in done if (one.network.solver is not None) == is_solved]
