"""Numbers, scores, and the kinds of inputs and targets in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from composable.report.facts import HeadFacts

METRICS = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "rmsle": "RMSLE",
    "mape": "MAPE",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "average precision",
    "f1": "F1",
    "brier": "Brier score",
    "mean_iou": "mean IoU",
    "dice": "Dice",
    "pixel_accuracy": "pixel accuracy",
}
IN_UNITS = ("rmse", "mae", "quantile")  # of the target
NONE = "\N{EN DASH}"  # where there is no value
_SPACE = "\N{NO-BREAK SPACE}"  # keeps a number and its unit on one line


def metric_name(metric: str) -> str:
    """A metric's name as the field writes it; `target/metric` becomes "metric of target"."""
    target, slash, own = metric.rpartition("/")
    if slash:
        return f"{metric_name(own)} of {target}"
    name, colon, level = metric.partition(":")
    if name == "quantile" and colon:
        return f"loss of the {level} quantile"
    return METRICS.get(metric, metric.replace("_", " ") or "score")


def figure(value: float | None, digits: int = 4) -> str:
    """A number with so many significant digits, grouped from five on: 20,412, 1993, 20.41, 2.041e-07."""
    if value is None:
        return NONE
    shown = fixed(value, decimals(value, digits), digits)
    if "." in shown and "e" not in shown:
        shown = shown.rstrip("0").rstrip(".")
    return shown


def decimals(value: float, digits: int = 4) -> int:
    """The decimal places that give a number so many significant digits."""
    return max(0, digits - 1 - _power(value))


def fixed(value: float | None, places: int, digits: int = 4) -> str:
    """A number with so many decimal places, so that a column of them is aligned."""
    if value is None:
        return NONE
    if not -5 < _power(value) < 12:
        return f"{value:.{digits - 1}e}".replace("-", "\N{MINUS SIGN}")
    grouped = "," if abs(value) >= 1e4 else ""  # four digits may be a year
    return f"{value:{grouped}.{places}f}".replace("-", "\N{MINUS SIGN}")


def _power(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def percent(share: float) -> str:
    """A share as a percentage that never rounds to nothing or to everything."""
    if 0 < share < 0.001:
        return f"< 0.1{_SPACE}%"
    if 0.999 < share < 1:
        return f"> 99.9{_SPACE}%"
    return f"{share * 100:.{0 if share in (0, 1) or 0.1 <= share <= 0.9 else 1}f}{_SPACE}%"


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 row, 2,000 rows."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def duration(seconds: float | None) -> str:
    """Seconds as a user says them."""
    if seconds is None:
        return NONE
    if seconds < 100:
        return f"{figure(seconds, 3 if seconds >= 1 else 2)}{_SPACE}s"
    if seconds < 6000:
        return f"{seconds / 60:.1f}{_SPACE}min"
    return f"{seconds / 3600:.1f}{_SPACE}h"


def size(count: int | None) -> str:
    """Bytes as a user says them."""
    if count is None:
        return NONE
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{figure(count / step, 3)}{_SPACE}{unit}"
    return f"{count}{_SPACE}B"


_CATEGORY = "A category that training never saw is read as “unknown”; predictions count them."
_MIX = "Probabilities hold for data with the same mix of classes as here; they change when the mix does."


@dataclass(frozen=True)
class InputWords:
    """A kind of input: how a model that reads one such column alone is introduced, and the kind's limits."""

    alone: str = ""
    limit: str = ""


@dataclass(frozen=True)
class TargetWords:
    """A kind of target.

    Attributes:
        answer: What is predicted; `{}` stands for the number of classes or labels.
        limit: What a reader should know of such predictions, or "".
        rows: What is given to `composable predict`.
        out: What it writes.
        method: Of the bundle, that gives predictions in Python.
    """

    answer: str
    limit: str = ""
    rows: str = "new.csv"
    out: str = "predictions.csv"
    method: str = "predict"


INPUTS: Mapping[str, InputWords] = {
    "category": InputWords(limit=_CATEGORY),
    "boolean": InputWords(limit=_CATEGORY),
    "text": InputWords(
        " from a text", "Words that no training text held are not read; what they mean is lost."
    ),
    "image": InputWords(" from an image"),
}
TARGETS: Mapping[str, TargetWords] = {
    "regression": TargetWords(
        "a number",
        "Predicted numbers stay within the range of the training targets: no new record is ever predicted.",
    ),
    "binary": TargetWords("one of two classes", _MIX),
    "multiclass": TargetWords("one of {} classes", _MIX),
    "multilabel": TargetWords("which of {} labels apply", _MIX),
    "mask": TargetWords("one of {} classes for every pixel", rows="images", out="masks", method="masks"),
}


def answer(head: HeadFacts) -> str:
    """What a head predicts: "a number", "one of 26 classes"."""
    return TARGETS.get(head.kind, TargetWords("a value")).answer.format(head.size or "several")
