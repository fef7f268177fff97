"""A target of numbers: a price, a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from keras import ops

from composable.data.schema import Notice
from composable.design.part import Part
from composable.design.tasks import regressor
from composable.engine.objective import Goal, absolute_error, quantile_error, squared_error
from composable.problem.formulas import NUMBERS, own_score, quantile_loss
from composable.problem.kinds.target_kind import AnswerEffects, ScoredRows, TargetKind, thinned
from composable.problem.metrics import Metric, metric_named
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head
from composable.problem.target_columns import Notify, ObservedTarget, encode_numbers

POINTS = 2000  # that a chart shows


def goal(metric: str) -> Goal:
    """The error that the metric suggests, of standardized targets; it is what training stops by as well."""
    known = metric_named(metric)
    losses = {"absolute": absolute_error, "quantile": partial(quantile_error, level=known.level)}
    loss = losses.get(known.loss, squared_error)

    def measure(y: Any, outputs: Any) -> Any:
        return loss(y, postprocess(ops, PostProcessing(), outputs))

    return Goal(loss, measure)


def fit_postprocessing(y: np.ndarray) -> PostProcessing:
    """The mean, the spread and the range of the training targets."""
    y = y[~np.isnan(y)]
    spread = float(y.std())
    return PostProcessing(
        scale=spread if spread > 0 else 1.0, offset=float(y.mean()), low=float(y.min()), high=float(y.max())
    )


def training_targets(step: PostProcessing, y: np.ndarray) -> np.ndarray:
    """Standardized numbers, float32."""
    return ((y - step.offset) / step.scale).astype("float32")


def score(metric: Metric, head: Head, rows: ScoredRows) -> float:
    """A metric of (rows, 1) numbers."""
    y, p = rows.observed[:, 0], rows.predicted[:, 0]
    if metric.function is not None:
        return own_score(metric, y, p, rows.weights)
    formula = NUMBERS[metric.name] if metric.name in NUMBERS else partial(quantile_loss, level=metric.level)
    return formula(y, p, rows.weights)


def diagnose(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """`observed` and `predicted` of at most 2000 rows."""
    y, p = observed.reshape(-1).astype("float64"), predicted.reshape(-1).astype("float64")
    with np.errstate(over="ignore", invalid="ignore"):
        residuals = p - y
    rows = np.flatnonzero(np.isfinite(residuals))
    if rows.size > POINTS:
        # Every k-th row in the order of the residuals: their histogram keeps its shape and its extremes.
        ordered = rows[np.argsort(residuals[rows], kind="stable")]
        rows = np.sort(ordered[thinned(ordered.size, POINTS)])
    return {"observed": y[rows].tolist(), "predicted": p[rows].tolist()}


def pose(targets: Sequence[ObservedTarget], notify: Notify) -> tuple[Head, ...]:
    """One of numbers for each.

    Raises:
        DataError: If a cell is no number, or all are the same.
    """
    for target in targets:
        if np.ptp(target.numbers) == 0:
            raise target.constant()
    names = [target.column.name for target in targets]
    return tuple(Head(name, "regression", (name,)) for name in names)


def recognize(target: ObservedTarget) -> tuple[Notice, ...] | None:
    """Amounts, of more than two sizes."""
    if target.are_amounts and len(target.distinct) != 2:
        return target.taken_as("amounts (regression)", "multiclass")
    return None


EFFECTS = AnswerEffects(
    additive=lambda predicted: predicted,
    logit_direction=lambda head, predicted: np.ones(1),
    error_direction=lambda observed, predicted: np.sign(predicted - observed),
    named=lambda head, totals: (("higher", totals[:, 0]), ("lower", -totals[:, 0])),
    error_sizes=lambda observed, predicted: np.abs(predicted - observed)[:, 0],
    right_confidence=lambda observed, predicted: np.full(len(predicted), np.nan),
    outcome=lambda head, observed, predicted: {
        "observed": float(observed[0]),
        "predicted": float(predicted[0]),
    },
)

REGRESSION = TargetKind(
    name="regression",
    activation="linear",
    default_metric="rmse",
    loss_metric="rmse",
    pose=pose,
    recognize=recognize,
    encode=encode_numbers,
    width=lambda head: 1,
    task=lambda head: Part(regressor),
    goal=goal,
    fit_postprocessing=fit_postprocessing,
    training_targets=training_targets,
    indicators=lambda head, y: y,
    constant_prediction=lambda head, y: np.nanmean(y, axis=0),
    score=score,
    row_losses=lambda y, p: ((y - p) ** 2).mean(axis=1),
    calibration_rows=lambda head, logits, y: None,
    class_probabilities=lambda head, predicted, position: None,
    effects=EFFECTS,
    diagnose=diagnose,
    leak_questions=lambda head, y: [y],
)
