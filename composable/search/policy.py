"""What a search does next: functions of what is known, and of nothing else.

`next_step` decides what is begun and how long it may take; the others, what is trained of what won.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from composable.search.cost_model import Timing
from composable.search.limits import Limits, total
from composable.search.trial import Trial

MOST_NETWORKS = 24  # in one deployed model: more take long to load and add little
LEAST_SECONDS = 3.0  # less than this isn't worth compiling another network for
MOST_ALIKE = 5  # failures of the same cause in a row: the next ones would fail as well
AHEAD_SECONDS = 8.0  # with less, what is compiled would hardly be trained
SUGGESTING_SECONDS = 10.0  # with less, suggestions after more folds of the best come to nothing
ENOUGH = 3  # candidates that are trained before more folds of the best are thought of
REST_SHARE = 0.5  # of the time left, for one candidate, where the rest can go to other folds of the best
_BASELINE_SHARE = 0.07  # of the time that is left after the first network
_EARLY_SHARE = 0.05  # of the time that is left before it, where the networks then take all there is
_SHORTER = 0.2  # of a training: a schedule can be made to end a little sooner
_LONGER = 4  # times as long as a fold takes a closed-form fit on all rows, with no other beside it
_STEPS_LONGER = 1.4  # times as long as its training takes a network on all rows

What = Literal[
    "constant", "baseline", "candidate", "wait", "ensemble", "more_folds", "suggestions", "refit", "file",
    "end",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """What a search does next.

    Attributes:
        what: Is done.
        seconds: That the job which it begins may take; 0 where it begins none, or where there is no time.
    """

    what: What
    seconds: float = 0.0


@dataclass(frozen=True)
class State:
    """What the policy knows.

    Attributes:
        left: Seconds for training.
        has_constant: Whether the constant predictor was scored.
        has_baseline: Whether the baseline was begun, or left out.
        baseline_first: Whether the baseline comes before the first candidate.
        begun: How many candidates were begun.
        running: How many jobs have not ended.
        workers: How many may run at once.
        succeeded: How many candidates came to their end.
        candidates_left: Whether there is another one.
        waits: Whether the next one depends on what still runs.
        cut_short: Whether the clock ended the training of the last one.
        alike_failures: How many candidates failed of the same cause, one after another, the last ones.
        no_room: Whether the run folder or the memory have no room for another training.
        folds_left: Whether the best may go on learning on folds that the candidates don't train.
        has_ensemble: Whether an ensemble was looked for.
        has_more_folds: Whether the best was trained on more folds, as far as time allowed.
        has_suggestions: Whether suggestions were begun, if they are to come after all that.
        has_refit: Whether the best was fitted again on all rows, if that is wanted.
        has_file: Whether the best has learned from the whole file; true where no file holds further rows.
    """

    left: float
    has_constant: bool = False
    has_baseline: bool = False
    baseline_first: bool = False
    begun: int = 0
    running: int = 0
    workers: int = 1
    succeeded: int = 0
    candidates_left: bool = True
    waits: bool = False
    cut_short: bool = False
    alike_failures: int = 0
    no_room: bool = False
    folds_left: bool = False
    has_ensemble: bool = False
    has_more_folds: bool = False
    has_suggestions: bool = True
    has_refit: bool = False
    has_file: bool = True


def next_step(state: State) -> Step:
    """The next step of a search.

    First the constant predictor; the baseline after the first candidate was begun, or before it; candidates
    while there are some and there is time for them; then the ensemble, more folds of the best; where time is
    left, suggestions, and both again; the refit, and learning from the whole file.
    """
    if not state.has_constant:
        return Step("constant")
    is_free = state.running < state.workers
    if not state.has_baseline and (state.baseline_first or state.begun > 0) and is_free:
        return Step("baseline", _seconds_for_baseline(state))
    if _tries_another(state):
        is_free = is_free and not state.waits
        return Step("candidate", _seconds_for_candidate(state)) if is_free else Step("wait")
    if state.running:
        return Step("wait")
    if state.succeeded == 0:
        return Step("end")
    at_the_end: tuple[tuple[What, bool], ...] = (
        ("ensemble", state.has_ensemble),
        ("more_folds", state.has_more_folds or state.no_room),
        ("suggestions", state.has_suggestions or state.no_room or state.left < SUGGESTING_SECONDS),
        ("refit", state.has_refit or state.no_room),
        ("file", state.has_file or state.no_room),
    )
    for what, done in at_the_end:
        if not done:
            return Step(what)
    return Step("end")


def _seconds_for_baseline(state: State) -> float:
    share = _EARLY_SHARE if state.baseline_first else _BASELINE_SHARE
    return state.left * share if state.left >= LEAST_SECONDS else 0.0


def _seconds_for_candidate(state: State) -> float:
    """The very first one has all there is, however late it comes."""
    share = 1.0 if state.succeeded == 0 or not state.folds_left else REST_SHARE
    return state.left * share


def no_time_to_learn(state: State, seconds: float, least_seconds: Callable[[], float]) -> str:
    """Why a candidate isn't begun, or ""; the very first one must come to be, however late it is.

    Args:
        state: Before it.
        seconds: That it would have.
        least_seconds: What it takes at least, to be of use; asked for only where that decides.
    """
    if not (state.succeeded or state.running) or math.isinf(seconds):
        return ""
    if seconds < LEAST_SECONDS:
        return "the time limit came before it began"
    least = least_seconds()
    return "" if least <= seconds else f"it would take {least:.0f} s at least; {seconds:.0f} s are left"


def compiles_ahead(state: State) -> bool:
    """Whether the networks that come next are compiled while the present ones train."""
    return state.left > AHEAD_SECONDS


def _tries_another(state: State) -> bool:
    if not state.candidates_left or state.no_room or state.alike_failures >= MOST_ALIKE:
        return False
    if state.succeeded and state.left < LEAST_SECONDS:
        return False
    # Where the last one didn't end, the others wouldn't either: the time is better spent on what won.
    return not (state.folds_left and state.cut_short and state.succeeded >= ENOUGH)


def most_folds(trial: Trial, folds: int, limits: Limits) -> float:
    """How many folds each member of what won may be trained on: models must stay small enough.

    Args:
        trial: That won.
        folds: That there are.
        limits: Of the deployed model.
    """
    growing = [t for t, _ in trial.shares if t.refit is None]
    each = total([{name: n / len(t.deployed_networks) for name, n in t.cost.items()} for t in growing])
    beside = total([t.cost for t, _ in trial.shares if t.refit is not None])
    return min(folds, MOST_NETWORKS // len(growing), limits.most_times(each, beside))


def more_folds(member: Trial, seconds: float, *, waiting: int, most: float) -> tuple[int, ...]:
    """The further folds that a member of what won is trained on.

    Args:
        member: Of trained networks.
        seconds: For it and others.
        waiting: How many members share them, this one included.
        most: Folds that it may have.
    """
    known = len(member.trained)
    return tuple(range(known, int(min(most, known + _trainings_that_fit(member, seconds, waiting)))))


def _trainings_that_fit(trial: Trial, seconds: float, waiting: int) -> float:
    each = trial.trained[0].seconds
    if each <= 0:
        return math.inf
    if trial.network.settings.patience is None:
        return int(seconds / (each * waiting) + _SHORTER)
    return int(seconds / (each * (1 + waiting)))


def is_refitted_to_deploy(trial: Trial, expected: Timing, seconds: float) -> bool:
    """Whether one network of all rows takes the place of a trial's closed-form fits of many folds.

    It does where that is faster than compiling the many, or where time is left for it.

    Args:
        trial: A member of what is to be deployed.
        expected: How long its scored folds take.
        seconds: Left.
    """
    networks = len(trial.trained)
    if trial.network.solver is None or trial.refit is not None or networks < 2:
        return False
    gained = (networks - 2) * expected.compiling - _LONGER * expected.epoch / networks
    return gained + seconds > 0


def refits_fit(members: Sequence[Trial], seconds: float) -> bool:
    """Whether there is time to train all of these once more, on all rows."""
    return sum(t.seconds for t in members) * _STEPS_LONGER <= seconds
