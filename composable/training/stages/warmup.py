"""Warmup: the learning rate rises in a straight line from next to nothing to that of the training.

Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.2. Where the loss runs away on
the way up, the rate was too high: half of it is tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.metaparameters import Count
from composable.design.part import Part, component
from composable.engine.history import History
from composable.engine.schedules import Factor, Growth, Positive
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.draw import drawn
from composable.training.stages.gain import concluded, for_scoring, measure_gain, scoring_seeds
from composable.training.stages.stage import (
    Job,
    Outcome,
    Progress,
    Several,
    Share,
    Start,
    Weights,
    cohort_of,
    out_of_time,
    part_of,
)


@component
def ramp(progress: np.ndarray, *, start: Factor = 0.0) -> np.ndarray:
    """A straight line from `start` at the first step to exactly 1 at the last."""
    return start * (1.0 - progress) + progress


@component
def warmup(  # noqa: PLR0913 (a recipe states every metaparameter)
    job: Job,
    progress: Progress,
    *,
    deadline: Deadline,
    epochs: Count = 5,
    s_lr: Positive = 1e-6,
    e_lr: Positive | None = None,
    bound: Growth = 2.0,
    backoffs: Count = 5,
    scored_for: Count = 10,
    seeds: Several = 3,
    share: Share = 0.1,
) -> Outcome:
    """Train with a rising rate, and hand on the weights.

    It is done in several orders of the rows, in one cohort, each backing off for itself; the first is handed
    on. In each of them what follows is compared with a training without warmup that has as many epochs in
    all, the `epochs` of the warmup included.

    Args:
        job: What is trained.
        progress: Where it begins; what weights there are, or a fresh draw.
        deadline: Of everything.
        epochs: How long the rate rises.
        s_lr: The rate of the first step.
        e_lr: The rate of the last step; None for that of the settings. Where it has to be lowered, so is that
            of the settings.
        bound: The training has run away if an epoch's loss is so many times that of the best epoch before, or
            no number.
        backoffs: How many times the rate is halved at most.
        scored_for: How many epochs the gain is measured over.
        seeds: The orders of the rows.
        share: Of the time left, that this stage takes at most; half of it goes to scoring.
    """
    if deadline.remaining <= 0:
        return out_of_time("warmup", progress)
    until = part_of(deadline, share)
    weights = progress.weights or drawn(job, derive(job.seed, "warmup"))
    rising = replace(progress.settings, learning_rate=e_lr or progress.settings.learning_rate, epochs=epochs)
    starts = [Start(rising, seed, weights) for seed in scoring_seeds(job, "warmup", seeds)]
    rises = _rises(job, starts, s_lr=s_lr, bound=bound, backoffs=backoffs, deadline=part_of(until, 0.5))
    halved = [rise.halved for rise in rises]
    evidence = {"end_rates": [rise.rate for rise in rises], "halved": halved}
    if any(rise.weights is None for rise in rises):
        return Outcome("warmup", progress, "failed", _why(rises), evidence=evidence)
    rate = min(progress.settings.learning_rate, *(rise.rate for rise in rises))
    settings = progress.settings if not any(halved) else replace(progress.settings, learning_rate=rate)
    alone, after = for_scoring(progress.settings, scored_for + epochs), for_scoring(settings, scored_for)
    gain = measure_gain(
        job,
        [replace(start, settings=alone) for start in starts],
        [Start(after, start.seed, rise.weights) for start, rise in zip(starts, rises, strict=True)],
        held_out=job.held_out,
        deadline=until,
    )
    evidence["losses"] = [list(rise.losses) for rise in rises]
    return concluded(
        progress,
        Outcome("warmup", Progress(rises[0].weights, settings), evidence=evidence),
        gain,
        cut="the time for it ended before all epochs" if gain.epochs < scored_for + epochs else "",
    )


@dataclass(frozen=True, eq=False)
class Rise:
    """One warmup: the end rate it came to, how often that was halved, its losses; no weights if it failed."""

    rate: float
    halved: int
    losses: tuple[float, ...]
    weights: Weights | None
    cut: bool = False


def _rises(
    job: Job, starts: Sequence[Start], *, s_lr: float, bound: float, backoffs: int, deadline: Deadline
) -> list[Rise]:
    """One per start; those that run away are repeated, together, with half the rate."""
    found: dict[int, Rise] = {}
    waiting = list(range(len(starts)))
    for halved in range(backoffs + 1):
        rates = [starts[number].settings.learning_rate / 2**halved for number in waiting]
        chosen = [
            replace(starts[number], settings=_rising(starts[number].settings, rate, s_lr))
            for number, rate in zip(waiting, rates, strict=True)
        ]
        cohort = cohort_of(job, chosen)
        histories, weights = train(cohort, deadline=deadline), cohort.weights(best=False)
        for number, rate, history, values in zip(waiting, rates, histories, weights, strict=True):
            cut = history.stopped == "deadline"
            good = not (cut or ran_away(history, bound))
            losses = tuple(epoch.loss for epoch in history.epochs)
            found[number] = Rise(rate, halved, losses, tuple(values) if good else None, cut)
        waiting = [number for number in waiting if found[number].weights is None]
        if not waiting or deadline.remaining <= 0:
            break
    return [found[number] for number in range(len(starts))]


def ran_away(history: History, bound: float) -> bool:
    """Whether a loss was no number, or so many times the lowest of the epochs before."""
    lowest = np.inf
    for epoch in history.epochs:
        if not np.isfinite(epoch.loss) or epoch.loss > bound * lowest:
            return True
        lowest = min(lowest, epoch.loss)
    return history.diverged is not None


def _rising(settings: Settings, rate: float, s_lr: float) -> Settings:
    start = min(1.0, s_lr / rate)
    return replace(
        settings, learning_rate=rate, learning_rate_schedule=Part(ramp, start=start), patience=None
    )


def _why(rises: Sequence[Rise]) -> str:
    if any(rise.cut for rise in rises):
        return "the time for it ended before the rate was reached"
    return f"the loss still ran away at a rate of {min(rise.rate for rise in rises):.3g}"
