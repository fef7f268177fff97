"""How networks are trained, as a user sets it: `learning_rate=0.001`, `averaging=ema(decay=0.99)`.

Each setting replaces the one that a candidate comes with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args, get_type_hints

from composable.core.errors import ConfigError
from composable.core.records import validated
from composable.design.metaparameters import missing, nearest
from composable.design.part import Part
from composable.engine import schedules
from composable.engine.averaging import EMA, SWA, Lookahead
from composable.engine.optimizer import Group, Optimizer
from composable.engine.regulation import follow_gap
from composable.engine.rules import Rule
from composable.engine.settings import Settings
from composable.engine.training_copy import Precision
from composable.zoo.catalog.parse import read_call

SCHEDULES = {
    schedule.__name__: schedule
    for schedule in (
        schedules.constant,
        schedules.cosine,
        schedules.coslog4,
        schedules.exponential,
        schedules.flat_cosine,
        schedules.inverse_time,
        schedules.one_cycle,
        schedules.polynomial,
        schedules.step,
        schedules.triangular,
        schedules.warm_restarts,
        schedules.warmed,
    )
}
AVERAGES = {"ema": EMA, "swa": SWA, "lookahead": Lookahead}
REGULATIONS = {"follow_gap": follow_gap}
OPTIONS_OF_THEIR_OWN = {"augment": "--augment", "epochs": "--max-epochs"}
_NONE = "none"
_EVERYTHING = ""  # the pattern that matches every variable


def read_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """The values of settings, by name, from texts such as `batch_size=64`.

    Args:
        texts: NAME=VALUE each. Names are those of `Settings`, and `clip` and `accumulate` of its optimizer.

    Returns:
        What `overridden` takes.

    Raises:
        ConfigError: If there is no such setting, it is set twice, or its value is none that it takes.
    """
    found = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in READERS:
            raise ConfigError(
                "How networks are trained is set by NAME=VALUE with the name of a setting.",
                received=text[:200],
                remedy=f"use {OPTIONS_OF_THEIR_OWN[name]}"
                if name in OPTIONS_OF_THEIR_OWN
                else f"there are: {', '.join(READERS)}{nearest(name[:100], READERS)}",
            )
        if name in found:
            raise ConfigError("A setting of the training may be set once.", received=f"{name} twice")
        found[name] = READERS[name](name, value)
    overridden(Settings(), found)  # refuses numbers out of their range
    return found


def overridden(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """The settings with some of them set otherwise.

    Of mixup and CutMix the one that is set ends the other. Muon updates the matrices and convolutions alone;
    all else stays with the rule that it had.

    Args:
        settings: Of a candidate.
        overrides: As `read_overrides` returns them.

    Raises:
        ConfigError: If a value is out of its range.
    """
    changed = {name: value for name, value in overrides.items() if name not in _OF_OPTIMIZER}
    for name, other in (("mixup", "cutmix"), ("cutmix", "mixup")):
        if changed.get(name):
            changed.setdefault(other, 0.0)
    optimizer = settings.optimizer
    if isinstance(optimizer, Optimizer):
        kept = {name: overrides[name] for name in ("clip", "accumulate") if name in overrides}
        rule = overrides.get("optimizer")
        if rule is not None and rule.name == "muon":
            kept["groups"] = (*optimizer.groups, Group(_EVERYTHING, rule=rule))
        elif rule is not None:
            kept["rule"] = rule
        optimizer = replace(optimizer, **kept)
    return replace(settings, optimizer=optimizer, **changed)


def _number(kind: type, name: str, text: str, *, optional: bool = False) -> Any:
    if optional and text.lower() == _NONE:
        return None
    try:
        return kind(text)
    except ValueError:
        whole = "a whole number" if kind is int else "a number"
        raise _refused(name, text, whole + (f" or {_NONE}" if optional else "")) from None


def _precision(name: str, text: str) -> Precision | None:
    words = {word: word for word in get_args(Precision)} | {_NONE: None}
    if text not in words:
        raise _refused(name, text, f"one of {', '.join(words)}")
    return words[text]


def _schedule(name: str, text: str) -> Part:
    schedule, arguments = _chosen(name, text, SCHEDULES, "cosine(end=0.1)")
    parts = {key: _schedule(name, one) if isinstance(one, str) else one for key, one in arguments.items()}
    if lacking := missing(schedule, parts):
        raise _refused(name, text, f"a schedule with its {' and '.join(lacking)}: warmed(then='cosine')")
    return Part(schedule, **parts)


def _average(name: str, text: str) -> EMA | SWA | Lookahead | None:
    if text.lower() == _NONE:
        return None
    average, arguments = _chosen(name, text, AVERAGES, "ema(decay=0.99)")
    return validated(average, arguments, origin=f"{name}={text}"[:200])


def _regulation(name: str, text: str) -> Part | None:
    if text.lower() == _NONE:
        return None
    regulation, arguments = _chosen(name, text, REGULATIONS, "follow_gap(tolerance=0.2)")
    return Part(regulation, **arguments)


def _rule(_name: str, text: str) -> Rule:
    return Rule(*read_call(text, example="adam(beta_2=0.95)"))


def _chosen(name: str, text: str, known: Mapping[str, Any], example: str) -> tuple[Any, dict[str, Any]]:
    """One of several things by its name, and the arguments behind it in brackets."""
    chosen, arguments = read_call(text, example=example)
    if chosen not in known:
        raise _refused(name, text, f"one of {', '.join(known)}{nearest(chosen[:100], known)}")
    return known[chosen], arguments


def _refused(name: str, text: str, expected: str) -> ConfigError:
    return ConfigError(
        f"The setting {name} of the training has no such value.",
        received=f"{name}={text}"[:200],
        remedy=f"set it to {expected}",
    )


def _readers() -> dict[str, Callable[[str, str], Any]]:
    """For each setting what reads its value from a text, by the type of the setting."""
    special: dict[str, Callable[[str, str], Any]] = {
        "optimizer": _rule,
        "averaging": _average,
        "regulation": _regulation,
        "precision": _precision,
    }
    numbers: dict[Any, Callable[[str, str], Any]] = {
        int: partial(_number, int),
        int | None: partial(_number, int, optional=True),
        float: partial(_number, float),
        Part: _schedule,
    }
    hints = {
        name: hint for name, hint in get_type_hints(Settings).items() if name not in OPTIONS_OF_THEIR_OWN
    }
    found = {name: special.get(name) or numbers[hint] for name, hint in hints.items()}
    return found | {"clip": partial(_number, float, optional=True), "accumulate": partial(_number, int)}


_OF_OPTIMIZER = ("optimizer", "clip", "accumulate")
READERS: Mapping[str, Callable[[str, str], Any]] = _readers()
