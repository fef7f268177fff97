"""How a model errs, as one entry of `diagnostics.json`: small, finite, and enough for every chart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from composable.problem.masks import as_rows
from composable.problem.problem import Head, Label

POINTS = 2000  # of a regression
CURVE = 200  # points of a ROC curve
BINS = 10  # of a reliability diagram
CLASSES = 200  # of a confusion matrix; the rarest beyond are pooled
POOLED = "(other classes)"

Array = NDArray[Any]


def head_diagnostics(head: Head, observed: Array, predicted: Array) -> dict[str, Any]:
    """Describe the errors of one head.

    Rows whose target or prediction is missing or not finite are left out. The caller fills `metrics`.

    Args:
        head: The question that was answered.
        observed: (n,) numbers for a regression, (n,) class codes for two or many classes, (n, labels) of 0
            and 1 for multi-label, (n, height, width) class codes for masks, of which some pixels are taken.
        predicted: (n, `head.width`): numbers or probabilities; (n, height, width, `head.width`) for masks.

    Returns:
        JSON values: `observed` and `predicted` of at most 2000 rows; or `labels`, `confusion` (observed by
        predicted class), `reliability` in ten quantile bins and, for two classes, `roc`; or, for multi-label,
        `confusions`, one per target, and `reliability` over all of them. Of more than 200 classes
        the rarest are pooled into a last one.
    """
    entry: dict[str, Any] = {
        "name": head.name,
        "kind": head.kind,
        "targets": list(head.targets),
        "metrics": {},
    }
    if head.kind == "mask":
        head, predicted, observed = as_rows(head, predicted, observed)
    observed, predicted = np.asarray(observed), np.asarray(predicted, dtype=np.float64)
    if head.kind != "multilabel":
        observed = observed.reshape(-1)
    predicted = predicted.reshape(len(predicted), head.width)
    match head.kind:
        case "regression":
            return entry | _regression(observed, predicted[:, 0])
        case "multilabel":
            return entry | _multilabel(head, observed, predicted)
    known = np.isfinite(predicted).all(axis=1) & np.isin(observed, np.arange(len(head.labels)))
    codes, chances = observed[known].astype(np.int64), predicted[known].clip(0.0, 1.0)
    if head.kind == "binary":
        return entry | _binary(head.labels, codes, chances[:, 0])
    return entry | _multiclass(head.labels, codes, chances)


def _regression(observed: Array, predicted: Array) -> dict[str, Any]:
    observed = observed.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        residuals = predicted - observed
    rows = np.flatnonzero(np.isfinite(residuals))
    if rows.size > POINTS:
        # Every k-th row in the order of the residuals: their histogram keeps its shape and its extremes.
        ordered = rows[np.argsort(residuals[rows], kind="stable")]
        rows = np.sort(ordered[_thinned(ordered.size, POINTS)])
    return {"observed": observed[rows].tolist(), "predicted": predicted[rows].tolist()}


def _binary(labels: tuple[Label, ...], codes: Array, chances: Array) -> dict[str, Any]:
    return {
        "labels": list(labels),
        "confusion": _confusion(codes, chances > 0.5, 2),
        "reliability": _reliability(chances, codes == 1),
        "roc": _roc(codes, chances),
    }


def _multiclass(labels: tuple[Label, ...], codes: Array, chances: Array) -> dict[str, Any]:
    guesses = chances.argmax(axis=1) if len(chances) else codes
    reliability = _reliability(chances.max(axis=1, initial=0.0), guesses == codes)
    shown, classes = list(labels), len(labels)
    if classes > CLASSES:
        frequent = np.argsort(-np.bincount(codes, minlength=classes), kind="stable")[: CLASSES - 1]
        place = np.full(classes, CLASSES - 1)
        place[np.sort(frequent)] = np.arange(CLASSES - 1)
        codes, guesses = place[codes], place[guesses]
        shown = [labels[code] for code in np.sort(frequent)] + [POOLED]
    return {
        "labels": shown,
        "classes": classes,
        "confusion": _confusion(codes, guesses, len(shown)),
        "reliability": reliability,
    }


def _multilabel(head: Head, observed: Array, predicted: Array) -> dict[str, Any]:
    known = np.isfinite(predicted) & np.isin(observed, (0, 1))
    chances, truth = predicted.clip(0.0, 1.0), observed == 1
    confusions = [
        _confusion(truth[rows, label], chances[rows, label] > 0.5, 2) for label, rows in enumerate(known.T)
    ]
    return {
        "labels": list(head.labels),
        "confusions": confusions,
        "reliability": _reliability(chances[known], truth[known]),
    }


def _confusion(observed: Array, guessed: Array, classes: int) -> list[list[int]]:
    """Rows are the observed classes, columns the predicted ones."""
    if not observed.size:
        return [[0] * classes for _ in range(classes)]
    codes = observed.astype(np.int64), guessed.astype(np.int64)
    return confusion_matrix(*codes, labels=np.arange(classes)).tolist()


def _reliability(chances: Array, happened: Array) -> list[dict[str, float | int]]:
    """Mean prediction and observed frequency in quantile bins of equally many rows, ties kept together."""
    if not chances.size:
        return []
    bins = min(BINS, max(1, chances.size // BINS))
    inner = np.unique(np.quantile(chances, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(inner, chances, side="left")
    return [
        {
            "predicted": float(chances[places == place].mean()),
            "observed": float(happened[places == place].mean()),
            "rows": int((places == place).sum()),
        }
        for place in np.unique(places)
    ]


def _roc(codes: Array, chances: Array) -> list[list[float]]:
    """False and true positive rates; empty where one class alone was observed: a rate is missing."""
    if np.unique(codes).size < 2:
        return []
    false_positives, true_positives, _ = roc_curve(codes, chances)
    keep = _thinned(false_positives.size, CURVE)
    return np.stack([false_positives[keep], true_positives[keep]], axis=1).tolist()


def _thinned(size: int, limit: int) -> Array:
    """At most `limit` places out of `size`, evenly spaced, both ends among them."""
    return np.unique(np.linspace(0, size - 1, min(size, limit)).round().astype(np.int64))
