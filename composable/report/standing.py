"""Where the deployed model stands: its score beside those of the baseline and the constant predictor.

And how sure a score is, given how few rows it was measured on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.report.facts import Facts, RunFacts, Trial
from composable.report.reading import number, objects, paired, sequence, shortened
from composable.report.words import IN_UNITS

Interval = tuple[float, float]
BASELINES = {
    "gradient_boosting": ("HistGradientBoosting", "a strong baseline for tables"),
    "logistic_on_pixels": ("Logistic regression", "a linear model of single pixels, their color and place"),
    "ridge_on_patches": ("Ridge on patches", "a linear model of what small squares look like"),
}
_Z = 1.6449  # standard normal deviate of a 90 % interval
_RESAMPLES = 500


@dataclass(frozen=True)
class Standing:
    """The scores of the deployed trial, the baseline and the constant predictor, on the same rows.

    Attributes:
        part: "held-out" where the score is cross-fitted; else "test", or "validation" where not all of them
            have a test score.
        rows: How many rows that part has, where it is known.
        model, baseline, constant: The scores.
        spread: How much the scores vary between folds.
        interval: The 90 % interval of the model's score, where there is one.
        about: The baseline's name, and what it is.
    """

    part: str
    rows: int | None
    model: float
    baseline: float | None
    constant: float | None
    spread: float
    interval: Interval | None
    about: tuple[str, str] = ("", "")


def standing(facts: Facts) -> Standing | None:
    """The standing of the deployed model; None where there is none or it has no score."""
    model = facts.deployed
    if model is None or model.score is None:
        return None
    baseline, reference = facts.best("baseline"), facts.best("reference")
    everyone = [trial for trial in (model, baseline, reference) if trial is not None]
    expected = facts.run.expected
    tested = expected is None and all(trial.test_score is not None for trial in everyone)
    part = "held-out" if expected else "test" if tested else "validation"

    def measured(trial: Trial | None) -> float | None:
        return None if trial is None else trial.test_score if tested else trial.score

    score = expected.value if expected else measured(model)
    known = score if score is not None else model.score
    return Standing(
        part=part,
        rows=expected.rows if expected else _rows(facts, part),
        model=known,
        baseline=measured(baseline),
        constant=measured(reference),
        spread=max((trial.spread or 0.0 for trial in everyone if trial is not reference), default=0.0),
        interval=(expected.low, expected.high) if expected else _interval(facts, part, known, model.metric),
        about=BASELINES.get(baseline.name, (baseline.name, "a baseline")) if baseline else ("", ""),
    )


def unit(run: RunFacts, metric: str) -> str:
    """What the metric is measured in, as " (unit of price)"; "" where it has no unit or there are several."""
    if metric.partition(":")[0] not in IN_UNITS or len(run.heads) != 1:
        return ""
    return f" (unit of {shortened(run.heads[0].name, 40)})"


def _rows(facts: Facts, part: str) -> int | None:
    rows = facts.run.split_rows.get(part)
    if rows is None and facts.file("diagnostics").get("part") == part:
        rows = number(facts.file("diagnostics").get("rows"))
    return None if rows is None else int(rows)


def _interval(facts: Facts, part: str, score: float, metric: str) -> Interval | None:
    """What the rows at hand say about the score; None where the diagnostics don't belong to it."""
    found = facts.file("diagnostics")
    heads = objects(found.get("heads"))
    if len(heads) != 1 or found.get("part") != part or number(found.get("trial")) != facts.run.deployed:
        return None
    head = heads[0]
    observed, predicted = sequence(head.get("observed")), sequence(head.get("predicted"))
    if pairs := paired([y, p] for y, p in zip(observed, predicted, strict=False)):
        interval = _error_interval(metric, np.array([p - y for y, p in pairs]))
    else:
        interval = _interval_of_share(metric, score, head)
    return interval if interval is not None and interval[0] <= score <= interval[1] else None


def _interval_of_share(metric: str, score: float, head: Mapping[str, Any]) -> Interval | None:
    confusion = sequence(head.get("confusion"))
    per_class = [sum(max(0.0, number(cell) or 0.0) for cell in sequence(row)) for row in confusion]
    if not 0 <= score <= 1:
        return None
    if metric == "accuracy" and sum(per_class) >= 1:
        return share_interval(score, sum(per_class))
    if metric == "roc_auc" and len(per_class) == 2:
        return _area_interval(score, int(per_class[0]), int(per_class[1]))
    return None


def share_interval(share: float, rows: float) -> tuple[float, float]:
    """90 % interval of a share of `rows` rows (Wilson 1927)."""
    center = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    half = _Z / (1 + _Z**2 / rows) * math.sqrt(max(0.0, share * (1 - share)) / rows + _Z**2 / (4 * rows**2))
    return max(0.0, center - half), min(1.0, center + half)


def _area_interval(area: float, negatives: int, positives: int) -> tuple[float, float] | None:
    """90 % interval of the area under a ROC curve (Hanley & McNeil 1982)."""
    if not negatives or not positives:
        return None
    pairs_one, pairs_two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (positives - 1) * (pairs_one - area**2) + (negatives - 1) * (pairs_two - area**2)
    )
    half = _Z * math.sqrt(max(0.0, variance) / (positives * negatives))
    return max(0.0, area - half), min(1.0, area + half)


def _error_interval(metric: str, residuals: np.ndarray) -> tuple[float, float] | None:
    """90 % interval of `rmse` or `mae` from (n,) residuals: the percentile bootstrap (Efron 1979)."""
    if metric not in ("rmse", "mae") or residuals.size < 2:
        return None
    losses = residuals**2 if metric == "rmse" else np.abs(residuals)
    draws = np.random.default_rng(0).integers(0, losses.size, size=(_RESAMPLES, losses.size))
    low, high = np.quantile(losses[draws].mean(axis=1), (0.05, 0.95))
    return (math.sqrt(low), math.sqrt(high)) if metric == "rmse" else (float(low), float(high))
