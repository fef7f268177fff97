"""The formulas of the metrics, a user's own among them: from observed and predicted values to one number.

What rows don't define is NaN: the ranks of one class, the relative error of a zero.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composable.core.errors import ConfigError
from composable.problem.metrics import Metric

Array = NDArray[Any]
Weights = NDArray[Any] | None
Formula = Callable[..., float]  # (observed, predicted, weights), of decisions also threshold=

_TINY = 1e-7


def mean(values: Array, weights: Weights = None) -> float:
    """The weighted mean."""
    return float(np.average(values, weights=weights))


def root_mean_squared_error(y: Array, p: Array, weights: Weights = None) -> float:
    """(n,) observed and predicted numbers, as in all formulas of numbers."""
    return float(np.sqrt(mean((y - p) ** 2, weights)))


def mean_absolute_error(y: Array, p: Array, weights: Weights = None) -> float:
    """The mean distance."""
    return mean(np.abs(y - p), weights)


def r_squared(y: Array, p: Array, weights: Weights = None) -> float:
    """The share of the variance that is explained; NaN where there is none."""
    spread = mean((y - mean(y, weights)) ** 2, weights)
    return 1.0 - mean((y - p) ** 2, weights) / spread if spread > 0 else float("nan")


def root_mean_squared_log_error(y: Array, p: Array, weights: Weights = None) -> float:
    """Of log(1 + value); a negative prediction counts as 0, a negative target isn't defined."""
    if (y < 0).any():
        return float("nan")
    return root_mean_squared_error(np.log1p(y), np.log1p(np.maximum(p, 0.0)), weights)


def mean_absolute_percentage_error(y: Array, p: Array, weights: Weights = None) -> float:
    """The mean distance as a share of the target (0.1 is ten percent); a target of 0 isn't defined."""
    if (y == 0).any():
        return float("nan")
    return mean(np.abs((y - p) / y), weights)


def quantile_loss(y: Array, p: Array, weights: Weights = None, *, level: float = 0.5) -> float:
    """Koenker & Bassett 1978, "Regression Quantiles": lowest where a share of `level` lies below."""
    return mean(np.maximum(level * (y - p), (level - 1.0) * (y - p)), weights)


def binary_log_loss(y: Array, p: Array, weights: Weights = None) -> float:
    """(n,) of 0 and 1, and probabilities of 1, as in all formulas of two classes."""
    p = np.clip(p, _TINY, 1 - _TINY)
    return mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)), weights)


def binary_accuracy(y: Array, p: Array, weights: Weights = None, *, threshold: float = 0.5) -> float:
    """The share of the rows whose class is the predicted one."""
    return mean((p >= threshold) == y, weights)


def binary_f1(y: Array, p: Array, weights: Weights = None, *, threshold: float = 0.5) -> float:
    """The harmonic mean of precision and recall of the second class; 0 where nothing is found."""
    return _f1(confusion(y, (p >= threshold).astype(int), 2, weights))[1]


def binary_balanced_accuracy(y: Array, p: Array, weights: Weights = None, *, threshold: float = 0.5) -> float:
    """The mean of both classes' recalls; NaN where one class alone was observed."""
    return _balanced_accuracy(confusion(y, (p >= threshold).astype(int), 2, weights))


def binary_mcc(y: Array, p: Array, weights: Weights = None, *, threshold: float = 0.5) -> float:
    """Matthews 1975: the correlation of observed and predicted classes."""
    return _mcc(confusion(y, (p >= threshold).astype(int), 2, weights))


def binary_brier(y: Array, p: Array, weights: Weights = None) -> float:
    """Brier 1950: the mean square error of the probability of the second class."""
    return mean((p - y) ** 2, weights)


def binary_roc_auc(y: Array, p: Array, weights: Weights = None) -> float:
    """The chance that a row of the second class is given more than one of the first (Hanley & McNeil 1982).

    Without weights from the ranks, in which rows of equal probability share theirs: selection asks for it
    thousands of times, and of few rows scikit-learn's curve takes ten times as long.
    """
    if y.min() == y.max() or np.isnan(p).any():
        return float("nan")
    if weights is not None:
        from sklearn.metrics import roc_auc_score  # takes long to import, and predictions don't need it

        return float(roc_auc_score(y, p, sample_weight=weights))
    _, place, counts = np.unique(p, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    second = y == y.max()
    many = int(second.sum())
    return float((ranks[second].sum() - many * (many + 1) / 2) / (many * (len(y) - many)))


def binary_average_precision(y: Array, p: Array, weights: Weights = None) -> float:
    """The area below the curve of precision and recall."""
    from sklearn.metrics import average_precision_score

    if y.min() == y.max():
        return float("nan")
    return float(average_precision_score(y, p, sample_weight=weights))


def log_loss(y: Array, p: Array, weights: Weights = None) -> float:
    """(n,) class numbers, and probabilities (n, classes), as in all formulas of many classes."""
    return mean(-np.log(np.clip(p[np.arange(len(y)), y], _TINY, 1.0)), weights)


def accuracy(y: Array, p: Array, weights: Weights = None) -> float:
    """The share of the rows whose most probable class is the observed one."""
    return mean(p.argmax(axis=1) == y, weights)


def macro_f1(y: Array, p: Array, weights: Weights = None) -> float:
    """The mean of the F1 of the classes that occur, observed or predicted."""
    counts = confusion(y, p.argmax(axis=1), p.shape[1], weights)
    occurs = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    return float(_f1(counts)[occurs].mean())


def balanced_accuracy(y: Array, p: Array, weights: Weights = None) -> float:
    """The mean recall of the classes that were observed."""
    return _balanced_accuracy(confusion(y, p.argmax(axis=1), p.shape[1], weights))


def mcc(y: Array, p: Array, weights: Weights = None) -> float:
    """Gorodkin 2004: the correlation of observed and predicted classes."""
    return _mcc(confusion(y, p.argmax(axis=1), p.shape[1], weights))


def brier(y: Array, p: Array, weights: Weights = None) -> float:
    """Brier 1950, halved, so that two classes give what `binary_brier` gives."""
    chosen = p[np.arange(len(y)), y]
    return mean(((p**2).sum(axis=1) - 2 * chosen + 1) / 2, weights)


def one_against_all(formula: Formula) -> Formula:
    """A formula of two classes made one of many: its mean over the classes of some but not all rows."""

    def of_classes(y: Array, p: Array, weights: Weights = None) -> float:
        present = [label for label in range(p.shape[1]) if 0 < (y == label).sum() < len(y)]
        return mean_of_defined([formula((y == label).astype(int), p[:, label], weights) for label in present])

    return of_classes


def mean_of_defined(values: Sequence[float]) -> float:
    """The mean over the classes or labels that the rows define; NaN where there is none."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _f1(counts: Array) -> Array:
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return 2 * np.diag(counts) / np.maximum(both, _TINY)


def _balanced_accuracy(counts: Array) -> float:
    observed = counts.sum(axis=1)
    there = observed > 0
    return float((np.diag(counts)[there] / observed[there]).mean()) if there.sum() > 1 else float("nan")


def _mcc(counts: Array) -> float:
    counts = counts.astype(float)  # fourth powers of numbers of rows follow
    total, right = counts.sum(), np.trace(counts)
    observed, guessed = counts.sum(axis=1), counts.sum(axis=0)
    if (observed > 0).sum() < 2:
        return float("nan")
    spread = (total**2 - guessed @ guessed) * (total**2 - observed @ observed)
    return float((right * total - guessed @ observed) / np.sqrt(spread)) if spread > 0 else 0.0


NUMBERS: Mapping[str, Formula] = {
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "r2": r_squared,
    "rmsle": root_mean_squared_log_error,
    "mape": mean_absolute_percentage_error,
}
TWO_CLASSES: Mapping[str, Formula] = {
    "roc_auc": binary_roc_auc,
    "log_loss": binary_log_loss,
    "accuracy": binary_accuracy,
    "average_precision": binary_average_precision,
    "f1": binary_f1,
    "balanced_accuracy": binary_balanced_accuracy,
    "mcc": binary_mcc,
    "brier": binary_brier,
}
CLASSES: Mapping[str, Formula] = {
    "roc_auc": one_against_all(binary_roc_auc),
    "log_loss": log_loss,
    "accuracy": accuracy,
    "average_precision": one_against_all(binary_average_precision),
    "f1": macro_f1,
    "balanced_accuracy": balanced_accuracy,
    "mcc": mcc,
    "brier": brier,
}


CHUNK = 1 << 22  # probabilities that are looked at at once


def confusion(
    observed: np.ndarray, predicted: np.ndarray, classes: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """How many rows or pixels of each class (rows) are taken for each (columns), (classes, classes).

    Args:
        observed: Class numbers, (rows,), (height, width) or (masks, height, width).
        predicted: Likewise.
        classes: How many there are.
        weights: Of each row or mask; a pixel counts as much as its mask.
    """
    codes = observed.astype(np.int64).ravel() * classes + predicted.astype(np.int64).ravel()
    each = None if weights is None else np.repeat(weights, codes.size // max(1, len(weights)))
    return np.bincount(codes, each, minlength=classes * classes).reshape(classes, classes)


def confusion_of(
    observed: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """The same, from (masks, height, width, classes) of which the most probable class is taken."""
    classes = probabilities.shape[-1]
    found = np.zeros((classes, classes), np.int64 if weights is None else np.float64)
    step = max(1, CHUNK // max(1, probabilities[:1].size))
    for first in range(0, len(observed), step):
        part = slice(first, first + step)
        each = None if weights is None else weights[part]
        found += confusion(observed[part], probabilities[part].argmax(axis=-1), classes, each)
    return found


def overlap(metric: str, matrix: np.ndarray) -> float:
    """One number for a matrix of `confusion`.

    `mean_iou` is the intersection over the union of predicted and true pixels (Jaccard), `dice` twice the
    intersection over their sum (Dice 1945, "Measures of the Amount of Ecologic Association Between
    Species"); both are means over the classes that occur in either. `pixel_accuracy` is the share of pixels
    that are right.
    """
    right, observed, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    if metric == "pixel_accuracy":
        return float(right.sum() / max(1, matrix.sum()))
    occurs = (observed + predicted) > 0
    if not occurs.any():
        return float("nan")
    shares = 2 * right / np.maximum(observed + predicted, 1)  # Dice's, of which the other is a function
    if metric == "mean_iou":
        shares = right / np.maximum(observed + predicted - right, 1)
    return float(shares[occurs].mean())


def own_score(metric: Metric, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> float:
    """The value of the user's function; with `sample_weight`, where there are weights and it takes them.

    Args:
        metric: With a function.
        y: (rows,) numbers, or class numbers in the order of the labels.
        p: (rows,) numbers or probabilities of the second class, or (rows, classes) probabilities.
        weights: A weight per row, or None.

    Raises:
        ConfigError: If it raises something, or what it returns is no number.
    """
    function: Any = metric.function
    more = {"sample_weight": weights} if weights is not None and _takes_weights(function) else {}
    try:
        found = function(y.copy(), p.copy(), **more)
    except Exception as wrong:
        raise ConfigError(
            f"The metric {metric.name!r} must give a number for observed and predicted values.",
            received=f"{type(wrong).__name__}: {wrong}",
            remedy=f"it was called with arrays of shapes {y.shape} and {p.shape}; of classes the first "
            "holds class numbers, the second probabilities",
        ) from wrong
    number = np.asarray(found)
    if number.size != 1 or number.dtype.kind not in "iuf":
        raise ConfigError(
            f"The metric {metric.name!r} must give a number for observed and predicted values.",
            received=f"it returned {found!r}"[:200],
            remedy="return one float",
        )
    return float(number.reshape(()))


def _takes_weights(function: Any) -> bool:
    try:
        return "sample_weight" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C have no signature
        return False
