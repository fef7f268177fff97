"""The lottery: several draws of the initial weights, of which the most promising is kept.

After Frankle & Carbin 2019, "The Lottery Ticket Hypothesis", arXiv:1803.03635, who found that some draws
train better than others; by default one of five draws is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.train import train
from composable.training.stages.gain import (
    Gain,
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
    set_start,
)


@component
def draw(  # noqa: PLR0913 (a recipe states every metaparameter)
    job: Job,
    progress: Progress,
    *,
    deadline: Deadline,
    draws: Several = 5,
    epochs: Count = 4,
    scored_for: Count = 10,
    seeds: Several = 3,
    share: Share = 0.1,
) -> Outcome:
    """Train every draw for a moment, in one cohort, and keep the one with the best held-out measure.

    What is kept is the draw: the weights as they were before that moment. Then all draws are trained for
    longer, and the one that was kept in several orders of the rows. What a draw is worth without choosing is
    the mean of all of them; how well the moment predicts their results is a rank correlation in the evidence.

    Don't expect much (`benchmarks/draw.py`, networks for tables): draws differ, and again so when they are
    trained in another order of the rows, but mostly in which held-out rows they suit. No signal tells early
    which does better on others: after 4 epochs the correlation is near 0, as for the loss at first, the norm
    of the gradient, and the loss at a rate of 1e-6.

    Args:
        job: What is trained.
        progress: A network that has weights already has nothing to draw.
        deadline: Of everything.
        draws: How many.
        epochs: How long the moment is.
        scored_for: How many epochs the gain is measured over.
        seeds: The orders of the rows in which the draw that was kept is scored.
        share: Of the time left, that this stage takes at most; half of it goes to scoring.
    """
    if progress.weights is not None:
        return Outcome("draw", progress, "skipped", "there are weights already")
    if deadline.remaining <= 0:
        return out_of_time("draw", progress)
    until = part_of(deadline, share)
    drawings = [drawn(job, derive(job.seed, "draw", number)) for number in range(draws)]
    choosing, scoring = halves(job)
    settings = for_scoring(progress.settings, epochs)
    order = derive(job.seed, "draw", "order")
    cohort = cohort_of(job, [Start(settings, order, weights) for weights in drawings], held_out=choosing)
    histories = train(cohort, deadline=part_of(until, 0.5))
    signal = [reached_measure(history) for history in histories]
    if not np.isfinite(signal).any():
        return Outcome("draw", progress, "failed", "no draw had a finite measure after a moment of training")
    kept = int(np.nanargmin(signal))
    longer = for_scoring(progress.settings, scored_for)
    orders = scoring_seeds(job, "draw", draws + seeds)
    gain = measure_gain(
        job,
        [Start(longer, seed, weights) for seed, weights in zip(orders, drawings, strict=False)],
        [Start(longer, seed, drawings[kept]) for seed in orders[draws:]],
        held_out=scoring,
        deadline=until,
        paired=False,
    )
    evidence = {"signal": signal, "kept": kept, **_rank_correlation(signal, gain)}
    cut = gain.epochs < scored_for or any(len(history.epochs) < epochs for history in histories)
    return concluded(
        progress,
        Outcome("draw", replace(progress, weights=drawings[kept]), evidence=evidence),
        gain,
        cut="the time for it ended before all epochs" if cut else "",
    )


def drawn(job: Job, seed: int) -> Weights:
    """Initial weights, and what `job.begin` fits to the rows."""
    model = job.build()
    set_start(job, model, Start(job.settings, seed))
    return tuple(model.get_weights())


def _rank_correlation(signal: list[float], gain: Gain) -> dict[str, Any]:
    """How well the signal predicts the results of the draws: Spearman's rank correlation."""
    from scipy.stats import spearmanr  # slow to import

    finite = np.isfinite(signal)
    signals, results = (np.asarray(values)[finite] for values in (signal, gain.without or signal))
    if not gain.without or min(len(np.unique(signals)), len(np.unique(results))) < 2:
        return {"correlation": None}
    found: Any = spearmanr(signals, results)
    return {"correlation": float(found.statistic)}
