"""What a stage gains: instances with and without it, trained on side by side and scored alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.engine.history import History
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.training.stages.stage import Job, Outcome, Progress, Start, cohort_of, part_of


@dataclass(frozen=True)
class Gain:
    """Of a stage, over several seeds.

    Attributes:
        mean: The held-out measure without it minus that with it; None where it couldn't be measured.
        spread: The standard error of the mean; None where there is but one seed.
        without: The measure of each instance without the stage.
        reached: The same with it.
        epochs: That they were trained on.
        diverged: How many instances had no finite measure; they count as the worst of those that had.
    """

    mean: float | None
    spread: float | None
    without: tuple[float, ...] = ()
    reached: tuple[float, ...] = ()
    epochs: int = 0
    diverged: int = 0

    @property
    def evidence(self) -> dict[str, Any]:
        """For `Outcome.evidence`."""
        found = {"without": list(self.without), "with": list(self.reached)}
        return {**found, "epochs": self.epochs, "diverged": self.diverged}


NOT_MEASURED = Gain(None, None)
LEAST = 0.5  # of the epochs: a gain after fewer epochs doesn't predict that of the training


def concluded(received: Progress, reached: Outcome, gain: Gain, *, cut: str = "") -> Outcome:
    """The outcome of a stage; where its gain or the gain's noise isn't known, its output is what it received.

    Args:
        received: By the stage.
        reached: The outcome so far.
        gain: Of the stage.
        cut: What the stage had to leave out, for lack of time.
    """
    evidence = {**reached.evidence, **gain.evidence}
    if gain.mean is None or gain.spread is None:  # of a single comparison nobody knows what is noise
        often = "" if gain.mean is None else " more than once"
        why = f"its gain could not be measured{often} in the time for it"
        return replace(reached, progress=received, status="failed", reason=why, evidence=evidence)
    return replace(reached, reason=cut, gain=gain.mean, spread=gain.spread, evidence=evidence)


def measure_gain(
    job: Job,
    without: Sequence[Start],
    reached: Sequence[Start],
    *,
    held_out: np.ndarray,
    deadline: Deadline,
    paired: bool = True,
) -> Gain:
    """Train on without and with a stage, and compare.

    All are trained in one cohort, or in two, if a stage changed what a cohort shares; then as many epochs
    count as the shorter of the two had time for.

    Args:
        job: Gives the rows to learn from.
        without: The beginnings without the stage.
        reached: Those with it.
        held_out: The rows to score on; not those by which the stage chose.
        deadline: Where it comes before all epochs, what was reached until then is compared, if it was at
            least half of them.
        paired: Whether the n-th of the ones has the seed of the n-th of the others: then their differences
            alone make the spread.
    """
    if deadline.remaining <= 0:
        return NOT_MEASURED
    together = without[0].settings.shared == reached[0].settings.shared
    if together:
        histories = train(cohort_of(job, [*without, *reached], held_out=held_out), deadline=deadline)
    else:
        first = train(cohort_of(job, without, held_out=held_out), deadline=part_of(deadline, 0.5))
        histories = [*first, *train(cohort_of(job, reached, held_out=held_out), deadline=deadline)]
    sides = histories[: len(without)], histories[len(without) :]
    lengths = [max(len(one.epochs) for one in side) for side in sides]
    within = max(lengths) if together else min(lengths)
    if within < LEAST * max(start.settings.epochs for start in (*without, *reached)):
        return NOT_MEASURED
    measures = [np.array([reached_measure(one, within) for one in side]) for side in sides]
    return compared(*measures, epochs=within, paired=paired)


def for_scoring(settings: Settings, epochs: int) -> Settings:
    """The same for a fixed number of epochs, at whose end the schedule ends."""
    return replace(settings, epochs=epochs, patience=None)


def scoring_seeds(job: Job, stage: str, count: int) -> list[int]:
    """Of the orders of rows in which a stage is scored."""
    return [derive(job.seed, stage, "judged", number) for number in range(count)]


def halves(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """The held-out rows to choose by, and those to score what was chosen; different, if there are two."""
    mixed = np.random.default_rng(derive(job.seed, "halves")).permutation(job.held_out)
    middle = (len(mixed) + 1) // 2
    return np.sort(mixed[:middle]), np.sort(mixed[middle:] if len(mixed) > 1 else mixed)


def reached_measure(history: History, epochs: int | None = None) -> float:
    """The best held-out measure within the first epochs; NaN where there is none."""
    found = [epoch.held_out for epoch in history.epochs[:epochs] if np.isfinite(epoch.held_out)]
    return min(found, default=float("nan"))


def compared(without: np.ndarray, reached: np.ndarray, *, epochs: int, paired: bool) -> Gain:
    """The gain that these measures, one per instance, come to; see `measure_gain`."""
    both = np.concatenate([without, reached])
    finite = both[np.isfinite(both)]
    if not len(finite):
        return NOT_MEASURED
    without, reached = (np.where(np.isfinite(side), side, finite.max()) for side in (without, reached))
    spread = _error(without - reached) if paired else float(np.hypot(_error(without), _error(reached)))
    return Gain(
        mean=float(without.mean() - reached.mean()),
        spread=spread if np.isfinite(spread) else None,
        without=tuple(without.tolist()),
        reached=tuple(reached.tolist()),
        epochs=epochs,
        diverged=len(both) - len(finite),
    )


def _error(values: np.ndarray) -> float:
    """The standard error of their mean; NaN for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
