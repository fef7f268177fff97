"""Scores and their directions, for one head and over several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn import metrics as sk

from composable.problem.overlap import confusion_of, overlap
from composable.problem.problem import Head, HeadKind, Problem

METRICS: dict[HeadKind, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "r2"),
    "binary": ("roc_auc", "log_loss", "accuracy", "average_precision"),
    "multiclass": ("log_loss", "accuracy", "roc_auc", "average_precision"),
    "multilabel": ("roc_auc", "log_loss", "accuracy", "average_precision"),
    "mask": ("mean_iou", "dice", "pixel_accuracy"),
}
RELATIVE = "relative_error"  # of heads of different kinds: error over the constant predictor's, averaged
_RANKING = {"roc_auc", "average_precision"}
_LOWER_IS_BETTER = {"rmse", "mae", "log_loss", RELATIVE}
_TINY = 1e-7
Parts = Sequence[np.ndarray]


def higher_is_better(metric: str) -> bool:
    """Whether a larger value of `metric` is a better one."""
    return metric not in _LOWER_IS_BETTER


def better(metric: str, a: float, b: float) -> bool:
    """Whether score `a` beats score `b`; a score that could not be computed (NaN) beats nothing."""
    if np.isnan(a) or np.isnan(b):
        return not np.isnan(a) and np.isnan(b)
    return a > b if higher_is_better(metric) else a < b


def scores(
    problem: Problem,
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    parts: Parts = (),
) -> dict[str, float]:
    """Every metric that fits the problem.

    Args:
        problem: Its heads say what the arrays mean.
        observed: Per head: (n, 1) numbers or class numbers, (n, labels) of 0 and 1, or (n, height, width)
            class numbers.
        predicted: Per head: (n, 1) numbers or probabilities of the second class, (n, classes) of all, or
            (n, height, width, classes).
        parts: Which rows were predicted by one model, where several took part; see `score`.

    Returns:
        The metric's name to its value; with several heads the means over heads of each metric they share, and
        each head's own as `target/metric`. A value that the rows don't define (one class alone) is NaN.
    """
    each = [
        {metric: score(metric, head, y, p, parts) for metric in METRICS[head.kind]}
        for head, y, p in zip(problem.heads, observed, predicted, strict=True)
    ]
    if len(each) == 1:
        return each[0]
    shared = [metric for metric in each[0] if all(metric in other for other in each)]
    result = {metric: float(np.mean([one[metric] for one in each])) for metric in shared}
    for head, one in zip(problem.heads, each, strict=True):
        result |= {f"{head.name}/{metric}": value for metric, value in one.items()}
    return result


def selection_score(
    problem: Problem,
    observed: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    reference: Sequence[np.ndarray],
    parts: Parts = (),
) -> float:
    """The score that selects: the problem's metric, averaged over heads.

    Args:
        problem: Names the metric.
        observed: As in `scores`.
        predicted: As in `scores`.
        reference: What the constant predictor predicts, per head; only heads of different kinds need it.
        parts: As in `scores`.
    """
    if problem.metric != RELATIVE:
        return float(
            np.mean(
                [
                    score(problem.metric, head, y, p, parts)
                    for head, y, p in zip(problem.heads, observed, predicted, strict=True)
                ]
            )
        )
    ratios = []
    for head, y, p, nothing in zip(problem.heads, observed, predicted, reference, strict=True):
        error = "rmse" if head.kind == "regression" else "log_loss"
        ratios.append(score(error, head, y, p) / max(score(error, head, y, nothing), _TINY))
    return float(np.mean(ratios))


def score(metric: str, head: Head, y: np.ndarray, p: np.ndarray, parts: Parts = ()) -> float:
    """One metric of one head; NaN where the rows don't define it.

    Args:
        metric: One of `METRICS`.
        head: What is predicted.
        y: As `observed` in `scores`.
        p: As `predicted` in `scores`.
        parts: Row numbers by the model that predicted them. Metrics that compare rows with one another (by
            rank) are averaged over the parts, since the answers of different models aren't on one scale.
    """
    if len(y) == 0:
        return float("nan")
    if head.kind == "mask":
        return overlap(metric, confusion_of(y, p))
    if metric in _RANKING and len(parts) > 1:
        each = [score(metric, head, y[rows], p[rows]) for rows in parts]
        known = [(one, len(rows)) for one, rows in zip(each, parts, strict=True) if not np.isnan(one)]
        if known:
            return float(np.average([one for one, _ in known], weights=[rows for _, rows in known]))
    p = np.asarray(p, "float64")
    if head.kind == "regression":
        return _regression(metric, y[:, 0], p[:, 0])
    if head.kind == "multilabel":
        return _mean_of_defined([_binary(metric, y[:, i], p[:, i]) for i in range(y.shape[1])])
    if head.kind == "binary":
        return _binary(metric, y[:, 0], p[:, 0])
    return _multiclass(metric, y[:, 0].astype(int), p)


def _regression(metric: str, y: np.ndarray, p: np.ndarray) -> float:
    match metric:
        case "rmse":
            return float(np.sqrt(np.mean((y - p) ** 2)))
        case "mae":
            return float(np.mean(np.abs(y - p)))
    spread = float(np.sum((y - y.mean()) ** 2))
    return 1.0 - float(np.sum((y - p) ** 2)) / spread if spread > 0 else float("nan")


def _binary(metric: str, y: np.ndarray, p: np.ndarray) -> float:
    y = y.astype(int)
    if metric == "accuracy":
        return float(np.mean((p >= 0.5) == y))
    if metric == "log_loss":
        p = np.clip(p, _TINY, 1 - _TINY)
        return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    if y.min() == y.max():
        return float("nan")
    return float(sk.roc_auc_score(y, p) if metric == "roc_auc" else sk.average_precision_score(y, p))


def _multiclass(metric: str, y: np.ndarray, p: np.ndarray) -> float:
    if metric == "accuracy":
        return float(np.mean(p.argmax(axis=1) == y))
    if metric == "log_loss":
        chosen = np.clip(p[np.arange(len(y)), y], _TINY, 1.0)
        return float(-np.mean(np.log(chosen)))
    present = [label for label in range(p.shape[1]) if 0 < (y == label).sum() < len(y)]
    return _mean_of_defined([_binary(metric, (y == label).astype(int), p[:, label]) for label in present])


def _mean_of_defined(values: Sequence[float]) -> float:
    """The mean over the classes or labels that the rows define; NaN where there is none."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
