"""Tuning: the learning rate on a grid, then the batch size by doubling, then the rate again, finer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.schedules import Positive
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.draw import drawn
from composable.training.stages.gain import (
    concluded,
    for_scoring,
    halves,
    measure_gain,
    reached_measure,
    scoring_seeds,
)
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

Rates = Annotated[tuple[Positive, ...], Field(min_length=1)]


@component
def tune(  # noqa: PLR0913 (a recipe states every metaparameter)
    job: Job,
    progress: Progress,
    *,
    deadline: Deadline,
    rates: Rates = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    largest_batch: Count = 1024,
    finer: Rates = (0.5, 0.7, 1.0, 1.4, 2.0),
    epochs: Count = 6,
    scored_for: Count = 10,
    seeds: Several = 3,
    share: Share = 0.2,
) -> Outcome:
    """Change the settings to those that do best in a few epochs.

    Every trial sees the same examples: all training rows, as often; all begin with the same weights. The
    rates of one step are one cohort, each batch size one of its own. One half of the held-out rows
    chooses, the other scores the tuned settings beside the received ones.

    Args:
        job: What is trained.
        progress: Its settings are changed, its weights stay as they are.
        deadline: Of everything.
        rates: The grid; the rate of the settings is tried too.
        largest_batch: Up to which the batch size is doubled while that isn't worse.
        finer: Factors of the best rate, tried at last.
        epochs: Of each trial.
        scored_for: How many epochs the gain is measured over.
        seeds: The orders of the rows for it, and its draws if there are no weights.
        share: Of the time left, that this stage takes at most; a third of it goes to scoring.
    """
    if deadline.remaining <= 0:
        return out_of_time("tune", progress)
    until = part_of(deadline, share)
    choosing, scoring = halves(job)
    weights = progress.weights or drawn(job, derive(job.seed, "tune"))
    trials = Trials(job, weights, epochs, choosing, part_of(until, 2 / 3))
    best = trials.rates(progress.settings, (*rates, progress.settings.learning_rate))
    best = trials.batches(best, largest_batch)
    best = trials.rates(best, tuple(factor * best.learning_rate for factor in finer))
    if not trials.measured:
        return Outcome("tune", progress, "failed", "no trial had a finite measure", evidence=trials.evidence)
    orders = scoring_seeds(job, "tune", seeds)
    gain = measure_gain(
        job,
        [Start(for_scoring(progress.settings, scored_for), seed, progress.weights) for seed in orders],
        [Start(for_scoring(best, scored_for), seed, progress.weights) for seed in orders],
        held_out=scoring,
        deadline=until,
    )
    cut = trials.cut or gain.epochs < scored_for
    chosen = {"learning_rate": best.learning_rate, "batch_size": best.batch_size}
    return concluded(
        progress,
        Outcome("tune", replace(progress, settings=best), evidence={**trials.evidence, **chosen}),
        gain,
        cut="the time for it ended before all trials and epochs" if cut else "",
    )


@dataclass(eq=False)
class Trials:
    """Short trainings from the same weights in the same order of the rows.

    Attributes:
        done: For each its learning rate, batch size and measure.
        cut: Whether the time ended before all were done.
    """

    job: Job
    weights: Weights
    epochs: int
    held_out: np.ndarray
    deadline: Deadline

    def __post_init__(self) -> None:
        self.done: list[tuple[float, int, float]] = []
        self.cut = False

    @property
    def measured(self) -> bool:
        """Whether any had a finite measure."""
        return any(np.isfinite(measure) for *_, measure in self.done)

    @property
    def evidence(self) -> dict[str, Any]:
        """The curve, for the report."""
        return {
            "trials": [
                {"learning_rate": rate, "batch_size": batch, "measure": measure}
                for rate, batch, measure in self.done
            ]
        }

    def rates(self, settings: Settings, rates: Sequence[float]) -> Settings:
        """The settings with the best of the rates, those already tried with this batch size included."""
        known = [rate for rate, batch, _ in self.done if batch == settings.batch_size]
        untried = [rate for rate in sorted(set(rates)) if not np.isclose(rate, known, rtol=1e-6).any()]
        self._try([replace(settings, learning_rate=rate) for rate in untried])
        found = [(measure, rate) for rate, batch, measure in self.done if batch == settings.batch_size]
        found = [one for one in found if np.isfinite(one[0])]
        return replace(settings, learning_rate=min(found)[1]) if found else settings

    def batches(self, settings: Settings, largest: int) -> Settings:
        """The settings with twice the batch size, and twice that, until it is worse."""
        best = self._measure(settings)
        while 2 * settings.batch_size <= min(largest, len(self.job.train)):
            doubled = replace(settings, batch_size=2 * settings.batch_size)
            self._try([doubled])
            if not self._measure(doubled) <= best:
                break
            settings, best = doubled, self._measure(doubled)
        return settings

    def _try(self, settings: Sequence[Settings]) -> None:
        if not settings or self.deadline.remaining <= 0:
            self.cut = self.cut or bool(settings)
            return
        order = derive(self.job.seed, "tune", "order")
        starts = [Start(for_scoring(one, self.epochs), order, self.weights) for one in settings]
        histories = train(cohort_of(self.job, starts, held_out=self.held_out), deadline=self.deadline)
        if any(history.stopped == "deadline" for history in histories):
            self.cut = True  # these had fewer examples than those before
            if self.done:
                return
        for one, history in zip(settings, histories, strict=True):
            self.done.append((one.learning_rate, one.batch_size, reached_measure(history)))

    def _measure(self, settings: Settings) -> float:
        for rate, batch, measure in self.done:
            if rate == settings.learning_rate and batch == settings.batch_size:
                return measure
        return float("nan")
