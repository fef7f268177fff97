"""Which choices of a search mattered: PED-ANOVA over its trials, by Optuna's evaluator.

Watanabe, Bansal & Hutter 2023, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
Subspaces" (IJCAI); choices that only some families have are conditional ones there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composable.search.leaderboard import TRIAL_FILE, read_trial
from composable.search.sampling import quiet

FAMILY = "family"
_FEWEST, _FEWEST_OF_FAMILY = 6, 5  # trials, below which nothing can be said
_TOP, _FEWEST_AT_TOP = 0.2, 2  # what the best trials have in common: so many of them
_LOGARITHMIC = 8.0  # numbers that differ by more than this factor are looked at by their logarithms
_REMEDY = "remove its folder to leave it out"
_SETTINGS = ("learning_rate", "weight_decay", "dropout", "label_smoothing", "mixup", "batch_size", "patience")
Value = float | int | str


@dataclass(frozen=True)
class ChoiceImportance:
    """A choice, and how much it decides whether a trial is among the best.

    Attributes:
        choice: "family", or a family's path, such as realmlp.training.learning_rate.
        importance: Its share; all of them sum to one.
        best: The value of the best trial that has it.
        low: The least value that was tried; None of words.
        high: The greatest.
        trials: That have it.
    """

    choice: str
    importance: float
    best: Value
    low: float | None
    high: float | None
    trials: int


def important_choices(run: Path) -> tuple[ChoiceImportance, ...]:
    """The choices that differed between the trials of a run, the most important first.

    Empty where fewer than six networks have a score, or where they all differ in nothing.

    Raises:
        ArtifactError: If the file of a trial is damaged; names it.
    """
    found = [read_trial(path, remedy=_REMEDY) for path in (run / "trials").glob(f"*/{TRIAL_FILE}")]
    scored = [(facts, loss) for facts in found if (loss := _loss(facts)) is not None]
    scored.sort(key=lambda one: int(one[0].get("number") or 0))
    if len(scored) < _FEWEST:
        return ()
    return importance([_choices(facts) for facts, _ in scored], [loss for _, loss in scored])


def importance(tried: Sequence[Mapping[str, Value]], losses: Sequence[float]) -> tuple[ChoiceImportance, ...]:
    """The importance of each choice that differs.

    Args:
        tried: The choices of each trial, by name; a trial need not have all of them.
        losses: Of each trial, the lower the better.
    """
    columns = _columns(tried)
    if not columns:
        return ()
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    with quiet():
        study = optuna.create_study()
        distributions = {name: _distribution(list(column.values())) for name, column in columns.items()}
        for number, loss in enumerate(losses):
            values = {name: column[number] for name, column in columns.items() if number in column}
            known = {name: distributions[name] for name in values}
            study.add_trial(create_trial(params=values, distributions=known, value=loss))
        top = min(0.5, max(_TOP, _FEWEST_AT_TOP / len(losses)))
        shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=top))
    return tuple(
        _told(name, share, columns[name], losses)
        for name, share in sorted(shares.items(), key=lambda one: -one[1])
        if math.isfinite(share) and share > 0
    )


def _told(name: str, share: float, column: Mapping[int, Value], losses: Sequence[float]) -> ChoiceImportance:
    best = column[min(column, key=lambda number: losses[number])]
    numbers = [float(one) for one in column.values() if not isinstance(one, str)]
    low, high = (min(numbers), max(numbers)) if numbers else (None, None)
    return ChoiceImportance(name, float(share), best, low, high, len(column))


def _columns(tried: Sequence[Mapping[str, Value]]) -> dict[str, dict[int, Value]]:
    """The values of each choice by the number of the trial: those that differ, equal ones once."""
    families = Counter(one[FAMILY] for one in tried)
    found: dict[str, dict[int, Value]] = {}
    if max(families.values()) < _FEWEST_AT_TOP:  # each was tried once: nothing tells it from its family
        return found
    for name in dict.fromkeys(name for one in tried for name in one):
        if name != FAMILY and families[name.partition(".")[0]] < _FEWEST_OF_FAMILY:
            continue
        column = {number: one[name] for number, one in enumerate(tried) if name in one}
        kinds = {isinstance(one, str) for one in column.values()}
        if len(set(column.values())) > 1 and len(kinds) == 1 and column not in found.values():
            found[name] = column
    return found


def _distribution(values: Sequence[Value]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    numbers = [one for one in values if not isinstance(one, str)]
    if len(numbers) < len(values):
        return CategoricalDistribution(sorted({str(one) for one in values}))
    low, high = min(numbers), max(numbers)
    log = low > 0 and high > _LOGARITHMIC * low
    if all(isinstance(one, int) for one in numbers):
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(float(low), float(high), log=log)


def _loss(facts: Mapping[str, Any]) -> float | None:
    """The score of a network's trial, the lower the better; None where it has none."""
    score = (facts.get("validation") or {}).get(facts.get("metric"))
    if facts.get("role") != "network" or facts.get("status") != "done":
        return None
    if not isinstance(score, (int, float)) or not math.isfinite(score):
        return None
    return -float(score) if facts.get("higher_is_better") else float(score)


def _choices(facts: Mapping[str, Any]) -> dict[str, Value]:
    """What was chosen in a trial: its family, the numbers and components of its design, its settings."""
    family = family_of(str(facts.get("name")))
    found: dict[str, Value] = {FAMILY: family}
    design = facts.get("architecture") or {}
    for section in ("prestem", "stem", "learner"):
        found |= {f"{family}.{path}": value for path, value in _leaves(design.get(section), section)}
    settings = facts.get("settings") or {}
    for name in _SETTINGS:
        value = settings.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            found[f"{family}.training.{name}"] = value
    return found


def family_of(name: str) -> str:
    """The family of a candidate by its name: realmlp_7 is of realmlp."""
    first, _, last = name.rpartition("_")
    return first if first and last.isdecimal() else name


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Value]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _leaves(one, f"{path}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _leaves(one, f"{path}.{number}")
    elif isinstance(value, (bool, str)):
        yield path, str(value)
    elif isinstance(value, (int, float)) and math.isfinite(value):
        yield path, value
