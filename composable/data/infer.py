"""What each column is and what it is good for: inferred with a reason, never silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from composable.data.check import check_dropped, check_targets
from composable.data.dates import DateOrder
from composable.data.kinds import KINDS
from composable.data.names import listed
from composable.data.recognize.column import Finding, RawColumn
from composable.data.recognize.typed import typed_nothing
from composable.data.recognize.words import word_column
from composable.data.schema import Column, Kind, Notice, Schema
from composable.data.table import Table

_LEFT_OUT: dict[Kind, str] = {
    "identifier": "Left out, because they only name or number the rows: {names}.",
    "constant": "Left out, because they hold one value: {names}.",
    "empty": "Left out, because they hold no value: {names}.",
}
_TO_USE_ONE = "to use one, give it another kind and the role 'feature' in a schema: --schema"


@dataclass(frozen=True)
class _Context:
    table: Table
    targets: tuple[str, ...]
    date_order: DateOrder | None


def infer_schema(
    table: Table,
    targets: tuple[str, ...] = (),
    *,
    drop: Sequence[str] = (),
    date_order: DateOrder | None = None,
) -> tuple[Schema, tuple[Notice, ...]]:
    """Infer each column's kind and role, with the reason.

    Columns that together are one are recognized first. A column of text then is, in this order: numbers,
    where nine in ten of its cells are; dates; true or false; free text, where cells are several words and
    mostly differ; empty; constant; identifiers, where nearly every cell is one token of its own; else a
    category.

    Args:
        table: The table.
        targets: The columns to predict; they get the role "target" and the kind number, category or boolean.
        drop: Columns to leave out.
        date_order: How to read 01/02; None decides by the data, with a notice.

    Raises:
        DataError: If a target isn't in the table, with the nearest names.
        ConfigError: If a column to drop isn't in the table or is a target.
    """
    check_targets(table, targets)
    check_dropped(table, drop, targets)
    context = _Context(table, targets, date_order)
    columns: list[Column] = []
    notices: list[Notice] = []
    free = [str(name) for name in table.frame if name not in {table.part, *drop, *targets}]
    groups = {
        each.column.members[0]: each for kind in KINDS if kind.groups for each in kind.groups(table, free)
    }
    grouped = {name for each in groups.values() for name in each.column.members}
    for name, values in table.frame.items():
        if name == table.part:
            columns.append(Column(str(name), "category", "split", "says which rows train and which test"))
            continue
        if name in drop:
            columns.append(Column(str(name), "text", "drop", "left out by --drop"))
            continue
        if name in grouped and name not in groups:
            continue
        finding = groups.get(str(name)) or _find(values, str(name), context)
        columns.append(finding.column)
        notices += finding.notices
    columns = _keep_something(columns)
    return Schema(tuple(columns)), (*notices, *_left_out(columns))


def _find(values: pd.Series, name: str, context: _Context) -> Finding:
    """The first kind that fits, with what is worth knowing where another nearly did."""
    table, is_target = context.table, name in context.targets
    decimal = table.format.decimal if table.format else "."
    column = RawColumn(name, values, is_target, decimal, context.date_order, table.sources.get(name))
    finding = typed_nothing(column) if column.source is None else None
    nearly: list[Notice] = []
    for kind in KINDS if finding is None else ():
        finding = kind.recognize(column)
        if finding is not None:
            break
        nearly += kind.nearly(column) if kind.nearly else ()
    found = finding or word_column(column)
    role = "target" if is_target else found.column.role
    return Finding(replace(found.column, role=role), (*found.notices, *nearly))


def _keep_something(columns: list[Column]) -> list[Column]:
    """Where row numbers are all there is to learn from, learn from them: they may be time."""
    if any(column.role == "feature" for column in columns):
        return columns
    return [
        replace(c, kind="number", role="feature", reason=f"{c.reason}, kept because nothing else is there")
        if c.kind == "identifier" and c.reason.startswith("counts the rows")
        else c
        for c in columns
    ]


def _left_out(columns: list[Column]) -> list[Notice]:
    notices = []
    for kind, text in _LEFT_OUT.items():
        names = [column.name for column in columns if column.kind == kind and column.role == "drop"]
        if names:
            one = names[0] if len(names) == 1 else ""
            remedy = "" if kind == "empty" else _TO_USE_ONE
            notices.append(Notice(text.format(names=listed(names, 20)), column=one, remedy=remedy))
    return notices
