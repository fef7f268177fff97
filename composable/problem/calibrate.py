"""What held-out rows say of a network's probabilities: a temperature, and thresholds of decision.

A temperature is kept only where it helps on rows that it wasn't fitted on. At a threshold of one half rare
classes are hardly ever predicted, although F1 or the balanced accuracy reward them. Accuracy is best at one
half where probabilities are calibrated: on few rows another is best by chance alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar

from composable.problem.kinds import kind_of
from composable.problem.metrics import METRICS, better
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head, Problem
from composable.problem.scores import has_target, score

_LEAST_ROWS = 50
_TRIED = 24  # thresholds
_AT_HALF = ("accuracy",)  # metrics that ask for no other threshold
_RANGE = (np.log(0.2), np.log(5.0))


@dataclass(frozen=True)
class Calibration:
    """The temperature that was found, and the log loss on held-out rows without and with it."""

    temperature: float = 1.0
    log_loss_before: float | None = None
    log_loss_after: float | None = None


def calibrate(
    head: Head, logits: np.ndarray, observed: np.ndarray, *, seed: int, weights: np.ndarray | None = None
) -> Calibration:
    """Fit one temperature for a head of classes (Guo et al. 2017, section 4.2).

    Two halves of the rows score each other's temperature; only if both together are better off than at 1 is
    the temperature of all rows kept.

    Args:
        head: Its kind determines the rows on which a temperature is found; without classes it stays 1.
        logits: Of rows the network didn't learn from, as `postprocess` takes them.
        observed: Targets as its kind encodes them.
        seed: Decides the halves.
        weights: A weight per row, or None.
    """
    rows = _rows(head, logits, observed, weights)
    if rows is None:
        return Calibration()
    head, logits, observed, weights = rows
    half = np.random.default_rng(seed).permutation(len(observed)) % 2 == 0

    def of(part: np.ndarray) -> tuple[Head, np.ndarray, np.ndarray, np.ndarray | None]:
        return head, logits[part], observed[part], None if weights is None else weights[part]

    before = _loss(head, logits, observed, weights, 1.0)
    after = sum(
        _loss(*of(~part), _best_temperature(*of(part))) * _share(~part, weights) for part in (half, ~half)
    )
    if not after < before:
        return Calibration(1.0, before, before)
    return Calibration(_best_temperature(head, logits, observed, weights), before, float(after))


def _rows(
    head: Head, logits: np.ndarray, observed: np.ndarray, weights: np.ndarray | None
) -> tuple[Head, np.ndarray, np.ndarray, np.ndarray | None] | None:
    """The rows on which a temperature is found; None where they are few, or there is none to be found."""
    known = has_target(observed)
    if not known.all():
        logits, observed, weights = (
            logits[known],
            observed[known],
            None if weights is None else weights[known],
        )
    rows = kind_of(head).calibration_rows(head, logits, observed)
    if rows is None or len(rows[2]) < _LEAST_ROWS:
        return None
    return *rows, weights if len(rows[2]) == len(observed) else None  # of pixels only some are looked at


def _loss(
    head: Head, logits: np.ndarray, observed: np.ndarray, weights: np.ndarray | None, temperature: float
) -> float:
    step = PostProcessing(kind_of(head).activation, temperature)
    return score("log_loss", head, observed, postprocess(np, step, logits), weights=weights)


def _best_temperature(
    head: Head, logits: np.ndarray, observed: np.ndarray, weights: np.ndarray | None
) -> float:
    found = minimize_scalar(
        lambda log: _loss(head, logits, observed, weights, float(np.exp(log))),
        bounds=_RANGE,
        method="bounded",
        options={"maxiter": 20},
    )
    return float(np.exp(found.x))


def _share(part: np.ndarray, weights: np.ndarray | None) -> float:
    return float(part.mean()) if weights is None else float(weights[part].sum() / weights.sum())


def fit_temperature(head: Head, logits: np.ndarray, observed: np.ndarray) -> float:
    """The temperature that is best on these rows; 1 where a kind has none, and where there are few rows."""
    rows = _rows(head, logits, observed, None)
    return 1.0 if rows is None else _best_temperature(*rows)


def with_thresholds(
    problem: Problem,
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    weights: np.ndarray | None = None,
) -> Problem:
    """The problem with the thresholds that are best on these rows; as it is where its metric needs none.

    Args:
        problem: Its metric decides.
        observed: Per head, as its kind encodes targets.
        predicted: Per head, probabilities for rows that were not learned from.
        weights: A weight per row, or None.
    """
    metric = METRICS.get(problem.metric)
    if metric is None or not metric.decides or problem.metric in _AT_HALF:
        return problem
    heads = zip(problem.heads, observed, predicted, strict=True)
    return replace(problem, heads=tuple(_tuned(problem.metric, h, y, p, weights) for h, y, p in heads))


def centered(problem: Problem, predicted: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Probabilities moved so that a threshold of one half predicts what the problem's thresholds do."""
    heads = zip(problem.heads, predicted, strict=True)
    return [_centered(head, p) if head.thresholds else p for head, p in heads]


def _tuned(metric: str, head: Head, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> Head:
    known = has_target(y)
    if kind_of(head).width(head) != len(head.targets) or known.sum() < _LEAST_ROWS:
        return head  # of several classes the most probable one is predicted
    y, p, weights = y[known], p[known], None if weights is None else weights[known]
    thresholds = [0.5] * len(head.targets)
    for target in range(len(thresholds)):
        found, best = 0.5, float("nan")
        tried = np.unique(np.quantile(p[:, target], np.linspace(0.02, 0.98, _TRIED)))
        for threshold in (0.5, *np.clip(tried, 1e-6, 1 - 1e-6)):
            thresholds[target] = float(threshold)
            value = score(metric, replace(head, thresholds=tuple(thresholds)), y, p, (), weights)
            if better(metric, value, best):
                found, best = float(threshold), value
        thresholds[target] = found
    return replace(head, thresholds=tuple(thresholds))


def _centered(head: Head, p: np.ndarray) -> np.ndarray:
    odds = np.array([t / (1.0 - t) for t in head.thresholds])
    return p / (p + (1.0 - p) * odds)
