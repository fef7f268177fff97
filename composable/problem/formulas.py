"""The formulas of the metrics: from observed and predicted values, perhaps weighted, to one number.

What rows don't define is NaN: the ranks of one class, the relative error of a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    return _f1(_counts(y, (p >= threshold).astype(int), 2, weights))[1]


def binary_balanced_accuracy(y: Array, p: Array, weights: Weights = None, *, threshold: float = 0.5) -> float:
    """The mean of both classes' recalls; NaN where one class alone was observed."""
    return _balanced_accuracy(_counts(y, (p >= threshold).astype(int), 2, weights))


def binary_mcc(y: Array, p: Array, weights: Weights = None, *, threshold: float = 0.5) -> float:
    """Matthews 1975: the correlation of observed and predicted classes."""
    return _mcc(_counts(y, (p >= threshold).astype(int), 2, weights))


def binary_brier(y: Array, p: Array, weights: Weights = None) -> float:
    """Brier 1950: the mean square error of the probability of the second class."""
    return mean((p - y) ** 2, weights)


def binary_roc_auc(y: Array, p: Array, weights: Weights = None) -> float:
    """The chance that a row of the second class is ranked above one of the first."""
    from sklearn.metrics import roc_auc_score  # takes long to import, and predictions don't need it

    return float("nan") if y.min() == y.max() else float(roc_auc_score(y, p, sample_weight=weights))


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
    counts = _counts(y, p.argmax(axis=1), p.shape[1], weights)
    occurs = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    return float(_f1(counts)[occurs].mean())


def balanced_accuracy(y: Array, p: Array, weights: Weights = None) -> float:
    """The mean recall of the classes that were observed."""
    return _balanced_accuracy(_counts(y, p.argmax(axis=1), p.shape[1], weights))


def mcc(y: Array, p: Array, weights: Weights = None) -> float:
    """Gorodkin 2004: the correlation of observed and predicted classes."""
    return _mcc(_counts(y, p.argmax(axis=1), p.shape[1], weights))


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


def _counts(y: Array, guesses: Array, classes: int, weights: Weights) -> Array:
    """The weight of the rows of each observed class (rows) that are predicted as each class (columns)."""
    codes = y.astype(int) * classes + guesses
    return np.bincount(codes, weights, minlength=classes * classes).reshape(classes, classes).astype(float)


def _f1(counts: Array) -> Array:
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return 2 * np.diag(counts) / np.maximum(both, _TINY)


def _balanced_accuracy(counts: Array) -> float:
    observed = counts.sum(axis=1)
    there = observed > 0
    return float((np.diag(counts)[there] / observed[there]).mean()) if there.sum() > 1 else float("nan")


def _mcc(counts: Array) -> float:
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
