"""Target columns of a table as numbers, and class labels to class numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.parse import parse_categories, parse_numbers
from composable.data.schema import Column, Notice, Schema
from composable.data.table import Table
from composable.problem.problem import Head, Label, Problem

Notify = Callable[[Notice], None]
_CLASSES_AT_MOST = 20  # so many different whole numbers may be classes


@dataclass(frozen=True, eq=False)
class ObservedTarget:
    """A target column and its raw values, of the rows that have one.

    Attributes:
        column: What the schema says of it.
        values: Raw cells, none missing.
    """

    column: Column
    values: pd.Series

    @cached_property
    def numbers(self) -> np.ndarray:
        """The values as numbers, whatever kind the schema states.

        Raises:
            DataError: If one is none.
        """
        try:
            return parse_numbers(self.values, self.column, origin="the target", strict=True)
        except DataError as odd:
            raise DataError(
                f"A regression needs numbers in the target {self.column.name!r}.",
                received=odd.received,
                remedy="leave --problem regression out, or choose another target",
            ) from odd

    @property
    def holds_numbers(self) -> bool:
        """Whether the column is one of numbers; texts and truth values are classes."""
        return self.column.kind == "number"

    @cached_property
    def distinct(self) -> np.ndarray:
        """The different values: numbers where the column is one of numbers, else raw ones."""
        return np.unique(self.numbers) if self.holds_numbers else np.asarray(self.values.unique())

    @cached_property
    def are_amounts(self) -> bool:
        """Whether the values are numbers that are more likely amounts than classes."""
        few = len(self.distinct) <= _CLASSES_AT_MOST and len(self.values) >= 5 * len(self.distinct)
        return self.holds_numbers and not (few and self._are_whole)

    @cached_property
    def _are_whole(self) -> bool:
        return self.holds_numbers and bool(np.all(self.distinct == np.round(self.distinct)))

    def constant(self) -> DataError:
        """What is wrong if all values are the same."""
        return DataError(
            f"The target {self.column.name!r} must have at least two different values.",
            received=f"{len(self.values)} rows, all {self.values.iloc[0]!r}",
            remedy="choose another --target",
        )

    def taken_as(self, what: str, other: str) -> tuple[Notice, ...]:
        """That whole numbers could be classes as well as amounts, and which problem overrules the choice."""
        if not self._are_whole:
            return ()
        count = f"whole numbers ({len(self.distinct)} different ones)"
        text = f"{self.column.name!r} holds {count}: taken as {what}."
        return (Notice(text, column=self.column.name, remedy=f"--problem {other} overrules this"),)


def label_text(label: Label) -> str:
    """The one spelling under which a label is looked up: 1, 1.0, "1" and " 1.0 " are the same class."""
    text = parse_categories(pd.Series([label]), Column("", "category")).iloc[0]
    return "" if pd.isna(text) else str(text)


def encode_numbers(
    table: Table,
    schema: Schema,
    head: Head,
    encoding: Encoding | None = None,  # noqa: ARG001 (as of every kind)
) -> np.ndarray:
    """(rows, targets) of float64, NaN where a cell is empty.

    Raises:
        DataError: Naming the column, row and value that isn't a number.
    """
    each = [
        parse_numbers(column_of(table.frame, name), schema.column(name), origin=table.origin, strict=True)
        for name in head.targets
    ]
    return np.stack([np.asarray(values, "float64") for values in each], axis=1)


def encode_classes(
    table: Table,
    schema: Schema,
    head: Head,
    encoding: Encoding | None = None,  # noqa: ARG001 (as of every kind)
) -> np.ndarray:
    """(rows, targets) class numbers of float64, NaN where a cell is empty.

    Raises:
        DataError: Naming the column, row and value that isn't one of the classes.
    """
    codes = {label_text(label): number for number, label in enumerate(head.labels)}
    each = [_codes(table, schema.column(name), head, codes) for name in head.targets]
    return np.stack(each, axis=1)


def with_known_targets(table: Table, schema: Schema, problem: Problem) -> Table:
    """The table with empty cells where a target is no number or none of the classes, as it should be."""
    known = {}
    for head in problem.heads:
        labels = [label_text(label) for label in head.labels]
        for name in head.targets:
            values, column = column_of(table.frame, name), schema.column(name)
            if labels:
                read = parse_categories(values, column).isin(labels).to_numpy()
            else:
                read = ~np.isnan(parse_numbers(values, column, origin=table.origin, strict=False))
            known[name] = values.where(read)
    return replace(table, frame=table.frame.assign(**known))


def _codes(table: Table, column: Column, head: Head, codes: dict[str, int]) -> np.ndarray:
    values = column_of(table.frame, column.name)
    texts = parse_categories(values, column)  # classes are distinguished by how they are written
    numbers = texts.map(codes)
    unknown = numbers.isna() & texts.notna()
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise DataError(
            f"The target {column.name!r} must hold one of the classes the model knows.",
            received=f"{table.origin}, row {values.index[row] + 1}: {values.iloc[row]!r}",
            remedy=f"the classes are {', '.join(map(repr, head.labels[:20]))}",
        )
    return numbers.to_numpy("float64")


def labels_of(target: ObservedTarget, notify: Notify) -> tuple[Label, ...]:
    """The classes, sorted, each with its own type (numbers as numbers, truth values as such)."""
    values, column = target.values, target.column
    originals: dict[str, Counter[Label]] = {}
    for value, count in values.value_counts(dropna=True).items():
        if not count:  # a category that no row has
            continue
        plain = _plain(value)
        originals.setdefault(label_text(plain), Counter())[plain] += int(count)
    mixed = [text for text, spellings in originals.items() if len({type(s) for s in spellings}) > 1]
    if mixed:
        notify(
            Notice(
                f"{column.name!r} writes the class {mixed[0]!r} as different types; they count as one class.",
                "warning",
            )
        )
    single = [text for text, spellings in originals.items() if sum(spellings.values()) == 1]
    if single:
        notify(
            Notice(
                f"{len(single)} class{'es' * (len(single) > 1)} of {column.name!r} "
                f"ha{'ve' if len(single) > 1 else 's'} one row only (first: {single[0]!r}): kept, but a "
                "network that hasn't seen that row can't learn it.",
                "warning",
                column.name,
                "bring more rows of rare classes, or merge them",
            )
        )
    return sorted_labels([spellings.most_common(1)[0][0] for spellings in originals.values()])


def _plain(value: Any) -> Label:
    """A cell as a label; a date becomes text."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, int, float)) else label_text(value)


def labels_as_numbers(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Sorted labels; texts that are all whole numbers, or all decimals as Python writes them, are numbers."""
    for kind in (int, float):
        try:
            if all(isinstance(label, str) and str(kind(label)) == label.strip() for label in labels):
                return sorted_labels([kind(label) for label in labels])
        except ValueError:
            continue
    return sorted_labels([label.strip() if isinstance(label, str) else label for label in labels])


def sorted_labels(labels: Sequence[Label]) -> tuple[Label, ...]:
    """In the order of the probabilities: numbers by size, else by the alphabet."""
    if any(isinstance(label, str) for label in labels):
        return tuple(sorted(labels, key=str))
    return tuple(sorted(labels))
