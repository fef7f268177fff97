"""From a table and its targets to the problem: the kind of each, why, and the flag that overrules it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from composable.core.errors import ConfigError, DataError
from composable.data.frames import column_of
from composable.data.parse import parse_column
from composable.data.schema import Column, Notice, Schema
from composable.problem.kinds import kind_of
from composable.problem.metrics import RELATIVE, fitting, metric_named
from composable.problem.problem import Head, HeadKind, Label, Problem
from composable.problem.target_columns import as_number, label_text
from composable.problem.targets import target_missing

MOST_CLASSES = 1000
FEWEST_ROWS = 10
_CLASSES_AT_MOST = 20  # so many different whole numbers may be classes


def understand(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    problem: HeadKind | None = None,
    metric: str | None = None,
    from_text: bool = False,
) -> Problem:
    """The heads, their labels and the metric, from the target columns of `schema`.

    Args:
        frame: Raw rows, each with a value in some target.
        schema: Determines which columns are targets and how they are read.
        problem: Overrules the inferred kind of every target; `multilabel` joins them into one head.
        metric: Overrules the metric.
        from_text: Whether the rows come from a text file, so that labels written as numbers are numbers.

    Raises:
        DataError: If a target has too few rows, one class only, one number only, or too many classes.
        ConfigError: If the wanted problem or metric doesn't fit the targets.
    """
    notices: list[Notice] = []
    columns = schema.targets
    observed = {column.name: _observed(frame, schema, column.name) for column in columns}
    if problem == "multilabel":
        heads = (_multi_label(observed, columns),)
    else:
        heads = tuple(_head(observed[c.name], c, problem, notices) for c in columns)
    if from_text:
        heads = tuple(replace(head, labels=_sorted(_as_numbers(list(head.labels)))) for head in heads)
    chosen = _metric(heads, metric)
    for head, column in zip(heads, columns, strict=False):
        if not head.labels:
            _check_domain(chosen, _numbers(observed[column.name], column), column)
    return Problem(heads, chosen, tuple(notices))


def _observed(frame: pd.DataFrame, schema: Schema, target: str) -> pd.Series:
    """The values of a target in the rows that have one."""
    values = column_of(frame, target).loc[~target_missing(frame, schema, (target,))[:, 0]]
    if len(values) < FEWEST_ROWS:
        raise DataError(
            f"At least {FEWEST_ROWS} rows with a target are needed to train and to check a model.",
            received=f"{len(values)} rows with a value in {target!r}",
            remedy=f"bring more rows, or leave {target!r} out",
        )
    return values


def _head(values: pd.Series, column: Column, wanted: HeadKind | None, notices: list[Notice]) -> Head:
    kind = wanted or _kind(values, column, notices)
    if kind == "regression":
        numbers = _numbers(values, column)
        if np.ptp(numbers) == 0:
            raise _constant(column, values)
        return Head(column.name, "regression", (column.name,))
    labels = _labels(values, column, notices)
    if len(labels) < 2:
        raise _constant(column, values)
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"A target may have at most {MOST_CLASSES} classes.",
            received=f"{column.name!r} has {len(labels)} different values in {len(values)} rows",
            remedy="--problem regression if the values are amounts; otherwise merge rare classes",
        )
    if wanted == "binary" and len(labels) != 2:
        raise ConfigError(
            "A binary problem needs a target with two values.",
            received=f"{column.name!r} has {len(labels)}: {', '.join(map(repr, labels[:5]))} ...",
            remedy="--problem multiclass",
        )
    if len(labels) == 2 and kind == "multiclass":
        notices.append(
            Notice(f"{column.name!r} has two values: it is a problem of two classes.", column=column.name)
        )
    return Head(column.name, "binary" if len(labels) == 2 else "multiclass", (column.name,), labels)


def _kind(values: pd.Series, column: Column, notices: list[Notice]) -> HeadKind:
    if column.kind != "number":
        return "multiclass" if values.nunique() > 2 else "binary"
    numbers = _numbers(values, column)
    distinct = np.unique(numbers)
    whole = bool(np.all(distinct == np.round(distinct)))
    if len(distinct) == 2:
        return "binary"
    if not whole:
        return "regression"
    classes = len(distinct) <= _CLASSES_AT_MOST and len(numbers) >= 5 * len(distinct)
    other = "regression" if classes else "multiclass"
    notices.append(
        Notice(
            f"{column.name!r} holds whole numbers ({len(distinct)} different ones): taken as "
            + ("classes." if classes else "amounts (regression)."),
            column=column.name,
            remedy=f"--problem {other} overrules this",
        )
    )
    return "multiclass" if classes else "regression"


def _numbers(values: pd.Series, column: Column) -> np.ndarray:
    try:
        return np.asarray(
            parse_column(values, as_number(column), origin="the target", strict=True), "float64"
        )
    except DataError as odd:
        raise DataError(
            f"A regression needs numbers in the target {column.name!r}.",
            received=odd.received,
            remedy="leave --problem regression out, or choose another target",
        ) from odd


def _labels(values: pd.Series, column: Column, notices: list[Notice]) -> tuple[Label, ...]:
    """The classes, sorted, each with its own type (numbers as numbers, truth values as such)."""
    originals: dict[str, Counter[Label]] = {}
    for value, count in values.value_counts(dropna=True).items():
        if not count:  # a category that no row has
            continue
        plain = _plain(value)
        originals.setdefault(label_text(plain), Counter())[plain] += int(count)
    mixed = [text for text, spellings in originals.items() if len({type(s) for s in spellings}) > 1]
    if mixed:
        notices.append(
            Notice(
                f"{column.name!r} writes the class {mixed[0]!r} as different types; they count as one class.",
                "warning",
            )
        )
    single = [text for text, spellings in originals.items() if sum(spellings.values()) == 1]
    if single:
        notices.append(
            Notice(
                f"{len(single)} class{'es' * (len(single) > 1)} of {column.name!r} "
                f"ha{'ve' if len(single) > 1 else 's'} one row only (first: {single[0]!r}): kept, but a "
                "network that hasn't seen that row can't learn it.",
                "warning",
                column.name,
                "bring more rows of rare classes, or merge them",
            )
        )
    return _sorted([spellings.most_common(1)[0][0] for spellings in originals.values()])


def _plain(value: Any) -> Label:
    """A cell as a label; a date becomes text."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float)) else label_text(value)


def _as_numbers(labels: list[Label]) -> list[Label]:
    """Texts that are all whole numbers, or all decimals as Python writes them, become numbers."""
    for kind in (int, float):
        try:
            if all(isinstance(label, str) and str(kind(label)) == label.strip() for label in labels):
                return [kind(label) for label in labels]
        except ValueError:
            continue
    return [label.strip() if isinstance(label, str) else label for label in labels]


def _sorted(labels: list[Label]) -> tuple[Label, ...]:
    if any(isinstance(label, str) for label in labels):
        return tuple(sorted(labels, key=str))
    return tuple(sorted(labels))


def _multi_label(observed: dict[str, pd.Series], columns: tuple[Column, ...]) -> Head:
    values = {c.name: _labels(observed[c.name], c, []) for c in columns}
    every = _sorted(
        list({label_text(label): label for labels in values.values() for label in labels}.values())
    )
    for name, labels in values.items():
        if len(labels) < 2:
            raise DataError(
                "Every label of a multi-label problem needs rows with it and rows without it.",
                received=f"{name!r} is always {', '.join(map(repr, labels))}",
                remedy=f"leave out --target {name}",
            )
    if len(every) != 2:
        raise DataError(
            "The targets of a multi-label problem must all hold the same two values, such as 0 and 1.",
            received=f"values {', '.join(map(repr, every[:6]))}",
            remedy="give every label a column of its own (pandas: Series.str.get_dummies), or leave out "
            "--problem multilabel: then each target gets a head of its own",
        )
    name = "+".join(values) if len(values) <= 3 else f"{columns[0].name}+{len(values) - 1}"
    return Head(name[:80], "multilabel", tuple(values), every)


def _metric(heads: tuple[Head, ...], wanted: str | None) -> str:
    if wanted is None:
        defaults = {head.kind: kind_of(head).default_metric for head in heads}
        if len(defaults) == 1:
            return defaults[heads[0].kind]
        return "log_loss" if all(head.labels for head in heads) else RELATIVE
    metric = metric_named(wanted)
    for head in heads:
        if head.kind not in metric.kinds:
            raise ConfigError(
                f"The metric {wanted!r} doesn't fit a {head.kind} target.",
                received=f"target {head.name!r}",
                remedy=f"one of {', '.join(fitting(head.kind))}",
            )
    return wanted


def _check_domain(metric: str, numbers: np.ndarray, column: Column) -> None:
    """Refuse a metric that the target's values don't define."""
    domain = metric_named(metric).domain
    outside = {"any": numbers != numbers, "not negative": numbers < 0, "not zero": numbers == 0}[domain]
    if outside.any():
        raise ConfigError(
            f"The metric {metric!r} is for targets that are {domain}.",
            received=f"{column.name!r}: {int(outside.sum())} of {len(numbers)} values are not, "
            f"such as {numbers[outside][0]:g}",
            remedy="--metric mae, or leave those rows out",
        )


def _constant(column: Column, values: pd.Series) -> DataError:
    return DataError(
        f"The target {column.name!r} must have at least two different values.",
        received=f"{len(values)} rows, all {values.iloc[0]!r}",
        remedy="choose another --target",
    )
