"""The metrics: which there are, what each fits, which direction is better. A light file: options read it."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from composable.core.errors import ConfigError
from composable.problem.problem import HeadKind

Loss = Literal["", "squared", "absolute", "quantile"]
Domain = Literal["any", "not negative", "not zero"]

CLASSES: tuple[HeadKind, ...] = ("binary", "multiclass", "multilabel")
RELATIVE = "relative_error"  # of heads of different kinds
TIE_BREAK = "log_loss"  # decides between equal scores, where there are classes
_LOWER_ENDINGS = ("_error", "_loss", "_deviance", "_distance")
_HIGHER_ENDINGS = ("_score", "_accuracy", "_gain")


@dataclass(frozen=True)
class Metric:
    """A score by which models are compared.

    Attributes:
        name: As users write it and as records hold it.
        kinds: The kinds of targets that it fits.
        higher_is_better: The direction.
        ranks: Whether it compares rows with one another, so that answers must be on one scale.
        decides: Whether it looks at the predicted classes, so that it depends on a decision threshold.
        loss: What networks for numbers lower when this metric selects; "" where the kind's own loss stays.
        domain: Which targets it is defined for.
        level: Of a quantile.
        function: A user's own: (observed, predicted) to a number.
    """

    name: str
    kinds: tuple[HeadKind, ...]
    higher_is_better: bool
    ranks: bool = False
    decides: bool = False
    loss: Loss = ""
    domain: Domain = "any"
    level: float = 0.5
    function: Callable[..., Any] | None = None


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", ("regression",), higher_is_better=False, loss="squared"),
        Metric("mae", ("regression",), higher_is_better=False, loss="absolute"),
        Metric("r2", ("regression",), higher_is_better=True, loss="squared"),
        Metric("rmsle", ("regression",), higher_is_better=False, loss="squared", domain="not negative"),
        Metric("mape", ("regression",), higher_is_better=False, loss="absolute", domain="not zero"),
        Metric("roc_auc", CLASSES, higher_is_better=True, ranks=True),
        Metric("log_loss", CLASSES, higher_is_better=False),
        Metric("accuracy", CLASSES, higher_is_better=True, decides=True),
        Metric("average_precision", CLASSES, higher_is_better=True, ranks=True),
        Metric("f1", CLASSES, higher_is_better=True, decides=True),
        Metric("balanced_accuracy", CLASSES, higher_is_better=True, decides=True),
        Metric("mcc", CLASSES, higher_is_better=True, decides=True),
        Metric("brier", CLASSES, higher_is_better=False),
        Metric("mean_iou", ("mask",), higher_is_better=True),
        Metric("dice", ("mask",), higher_is_better=True),
        Metric("pixel_accuracy", ("mask",), higher_is_better=True),
    )
}
"""Every metric that is reported for the kinds it fits, in the order of the leaderboards."""

QUANTILE = Metric("quantile", ("regression",), higher_is_better=False, loss="quantile")
"""The mean quantile loss; a user writes its level behind it, `quantile:0.9`."""

_RELATIVE = Metric(RELATIVE, (), higher_is_better=False)


def fitting(kind: HeadKind) -> tuple[str, ...]:
    """The names of the metrics that are reported for a kind of target."""
    return tuple(metric.name for metric in METRICS.values() if kind in metric.kinds)


@cache
def metric_named(name: str) -> Metric:
    """The metric that a user means: a name of `METRICS`, `quantile:LEVEL`, or `module:function`.

    Raises:
        ConfigError: If there is no such metric, the level isn't between 0 and 1, the function can't be
            imported, or it isn't known whether more of it is better.
    """
    if name in METRICS:
        return METRICS[name]
    if name == RELATIVE:
        return _RELATIVE
    first, separator, rest = name.partition(":")
    if first == QUANTILE.name:
        return replace(QUANTILE, name=name, level=_level(name, rest))
    if not separator:
        raise ConfigError(
            "A metric must be one of those there are.",
            received=repr(name),
            remedy=f"one of {', '.join(METRICS)}, {QUANTILE.name}:LEVEL, or module:function",
        )
    function = _imported(name, first, rest)
    return Metric(
        name, ("regression", *CLASSES), _direction(name, rest, function), ranks=True, function=function
    )


def higher_is_better(metric: str) -> bool:
    """Whether a larger value of `metric` is a better one."""
    return metric_named(metric).higher_is_better


def better(metric: str, a: float, b: float) -> bool:
    """Whether score `a` beats score `b`; a score that could not be computed (NaN) beats nothing."""
    if math.isnan(a) or math.isnan(b):
        return not math.isnan(a) and math.isnan(b)
    return a > b if higher_is_better(metric) else a < b


def _level(name: str, text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = math.nan
    if not 0 < level < 1:
        raise ConfigError(
            "The level of a quantile loss lies between 0 and 1.",
            received=repr(name),
            remedy=f"{QUANTILE.name}:0.9 asks for what nine of ten observed values stay below",
        )
    return level


def _imported(name: str, module: str, function: str) -> Callable[..., Any]:
    here = str(Path.cwd())
    try:
        sys.path.insert(0, here)  # a command's own folder isn't where a user's module lies
        found = getattr(importlib.import_module(module), function)
    except Exception as wrong:
        raise ConfigError(
            "A metric of one's own is written module:function, and can be imported.",
            received=f"{name!r}: {wrong}",
            remedy="the module lies in the current folder or is installed",
        ) from wrong
    finally:
        sys.path.remove(here)
    if not callable(found):
        raise ConfigError("A metric of one's own is a function.", received=f"{name!r} is {found!r}")
    return found


def _direction(name: str, function_name: str, function: Callable[..., Any]) -> bool:
    """By the function's own `higher_is_better`, or by the end of its name, as in scikit-learn."""
    declared = getattr(function, "higher_is_better", None)
    if isinstance(declared, bool):
        return declared
    if function_name.endswith(_HIGHER_ENDINGS + _LOWER_ENDINGS):
        return function_name.endswith(_HIGHER_ENDINGS)
    raise ConfigError(
        "A metric of one's own says which direction is better.",
        received=repr(name),
        remedy=f"write `{function_name}.higher_is_better = True` (or False) below the function, "
        "or end its name with _score or _error",
    )
