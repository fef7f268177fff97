"""What a search does next: a function of what is known, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LEAST_SECONDS = 3.0  # less than this isn't worth compiling another network for
AHEAD_SECONDS = 8.0  # with less, what is compiled would hardly be trained
ENOUGH = 3  # candidates that are trained before more folds of the best are thought of
REST_SHARE = 0.5  # of the time left, for one candidate, where the rest can go to other folds of the best

Step = Literal["constant", "baseline", "candidate", "wait", "ensemble", "more_folds", "refit", "file", "end"]


@dataclass(frozen=True)
class State:
    """What the policy knows.

    Attributes:
        left: Seconds for training.
        has_constant: Whether the constant predictor was scored.
        has_baseline: Whether the baseline was scored, or left out.
        baseline_first: Whether the baseline comes before the first candidate.
        begun: How many candidates were begun.
        running: How many of them have not ended.
        workers: How many may run at once.
        succeeded: How many candidates came to their end.
        candidates_left: Whether there is another one.
        cut_short: Whether the clock ended the training of the last one.
        folds_left: Whether the best may go on learning on folds that the candidates don't train.
        has_ensemble: Whether an ensemble was looked for.
        has_more_folds: Whether the best was trained on more folds, as far as time allowed.
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
    cut_short: bool = False
    folds_left: bool = False
    has_ensemble: bool = False
    has_more_folds: bool = False
    has_refit: bool = False
    has_file: bool = True


def next_step(state: State) -> Step:
    """The next step of a search.

    First the constant predictor; the baseline after the first candidate was begun, or before it; candidates
    while there are some and there is time for them; then the ensemble, more folds of the best, the refit,
    and learning from the whole file.
    """
    if not state.has_constant:
        return "constant"
    if not state.has_baseline and (state.baseline_first or state.begun > 0) and not state.running:
        return "baseline"
    if _tries_another(state):
        return "candidate" if state.running < state.workers else "wait"
    if state.running:
        return "wait"
    if state.succeeded == 0:
        return "end"
    at_the_end: tuple[tuple[Step, bool], ...] = (
        ("ensemble", state.has_ensemble),
        ("more_folds", state.has_more_folds),
        ("refit", state.has_refit),
        ("file", state.has_file),
    )
    for step, done in at_the_end:
        if not done:
            return step
    return "end"


def seconds_for_next(state: State) -> float:
    """How long the next candidate may take: the very first one all there is, however late it comes."""
    share = 1.0 if state.succeeded == 0 or not state.folds_left else REST_SHARE
    return state.left * share


def compiles_ahead(state: State) -> bool:
    """Whether the networks that come next are compiled while the present ones train."""
    return state.left > AHEAD_SECONDS


def _tries_another(state: State) -> bool:
    if not state.candidates_left:
        return False
    if state.succeeded and state.left < LEAST_SECONDS:
        return False
    # Where the last one didn't end, the others wouldn't either: the time is better spent on what won.
    return not (state.folds_left and state.cut_short and state.succeeded >= ENOUGH)
