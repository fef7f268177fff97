"""What the kinds of targets with classes have in common: heads, losses, and the curves of their errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from keras import ops

from composable.core.errors import DataError
from composable.engine.objective import Goal, binary_cross_entropy, of_known_labels
from composable.problem.formulas import TWO_CLASSES, own_score
from composable.problem.kinds.target_kind import thinned
from composable.problem.metrics import Metric
from composable.problem.postprocessing import Activation, PostProcessing, postprocess
from composable.problem.problem import Head
from composable.problem.target_columns import Notify, ObservedTarget, labels_of

MOST_CLASSES = 1000
_TINY = 1e-7
_LEAST_OF_CLASS = 5  # rows; a few are separated by chance
CURVE = 200  # points of a ROC curve
BINS = 10  # of a reliability diagram


def class_head(target: ObservedTarget, notify: Notify) -> Head:
    """The head of a target of classes that exclude each other, of two or of many.

    Raises:
        DataError: If there is one class alone, or too many.
    """
    labels, name = labels_of(target, notify), target.column.name
    if len(labels) < 2:
        raise target.constant()
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"A target may have at most {MOST_CLASSES} classes.",
            received=f"{name!r} has {len(labels)} different values in {len(target.values)} rows",
            remedy="--problem regression if the values are amounts; otherwise merge rare classes",
        )
    return Head(name, "binary" if len(labels) == 2 else "multiclass", (name,), labels)


def probabilities(activation: Activation, outputs: Any) -> Any:
    """Of a network's outputs, the members' mean where there are several, away from 0 and 1."""
    found: Any = ops.clip(postprocess(ops, PostProcessing(activation), outputs), _TINY, 1.0 - _TINY)
    return found


def sigmoid_goal(metric: str) -> Goal:
    """Cross entropy of each sigmoid; training stops by that of the members' mean, which is smoother."""
    return Goal(binary_cross_entropy, _sigmoid_log_loss, partial=True)


def _sigmoid_log_loss(y: Any, outputs: Any) -> Any:
    answers = probabilities("sigmoid", outputs)
    known, y = of_known_labels(ops.cast(y, answers.dtype))
    return ops.mean(known * ops.binary_crossentropy(y, answers), axis=-1)


def sigmoid_row_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The log loss of each row, the mean over the labels it has."""
    p = np.clip(p, _TINY, 1.0 - _TINY)
    each = -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))
    known = np.maximum((~np.isnan(each)).sum(axis=1), 1)
    return np.where(np.isnan(each).all(axis=1), np.nan, np.nansum(each, axis=1) / known)


def softmax_row_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The log loss of each row, from class numbers with a last axis of one; the mean over pixels."""
    known = ~np.isnan(y) if y.dtype.kind == "f" else np.ones(y.shape, bool)
    chosen = np.take_along_axis(p, np.where(known, y, 0).astype(int), axis=-1)
    losses = np.where(known, -np.log(np.clip(chosen, _TINY, 1.0)), np.nan)
    return losses.reshape(len(losses), -1).mean(axis=1)


def two_class_score(
    metric: Metric, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None, threshold: float
) -> float:
    """A metric of (rows,) of 0 and 1 and probabilities of 1."""
    if metric.function is not None:
        return own_score(metric, y, p, weights)
    formula = TWO_CLASSES[metric.name]
    return (partial(formula, threshold=threshold) if metric.decides else formula)(y, p, weights)


def enough_of_both(questions: list[np.ndarray]) -> list[np.ndarray]:
    """Those, of truth values per row, that hold enough rows of either."""
    return [asked for asked in questions if _LEAST_OF_CLASS <= asked.sum() <= len(asked) - _LEAST_OF_CLASS]


def reliability(chances: np.ndarray, happened: np.ndarray) -> list[dict[str, float | int]]:
    """Mean prediction and observed frequency in quantile bins of equally many rows, ties kept together."""
    if not chances.size:
        return []
    bins = min(BINS, max(1, chances.size // BINS))
    inner = np.unique(np.quantile(chances, np.linspace(0, 1, bins + 1)[1:-1]))
    of_row = np.searchsorted(inner, chances, side="left")
    return [
        {
            "predicted": float(chances[of_row == number].mean()),
            "observed": float(happened[of_row == number].mean()),
            "rows": int((of_row == number).sum()),
        }
        for number in np.unique(of_row)
    ]


def roc(codes: np.ndarray, chances: np.ndarray) -> list[list[float]]:
    """False and true positive rates; empty where one class alone was observed: a rate is missing."""
    from sklearn.metrics import roc_curve  # takes long to import, and predictions don't need it

    if np.unique(codes).size < 2:
        return []
    false_positives, true_positives, _ = roc_curve(codes, chances)
    keep = thinned(false_positives.size, CURVE)
    return np.stack([false_positives[keep], true_positives[keep]], axis=1).tolist()
