"""What each column is and what it is good for: inferred with a reason, never silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from composable.data.check import check_dropped, check_targets
from composable.data.dates import DateOrder
from composable.data.finding import Finding
from composable.data.infer_text import text_column
from composable.data.infer_typed import typed_column
from composable.data.names import listed
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

    A column of text is, in this order: empty; numbers, where nine in ten of its cells are; true or false;
    dates; constant; identifiers, where nearly every cell is one token of its own; free text, where cells are
    several words and mostly differ; else a category.

    Args:
        table: The table.
        targets: The columns to predict; they get the role "target" and the kind number, category or boolean.
        drop: Columns to leave out.
        date_order: How to read 01/02; None decides by the data and says so.

    Raises:
        DataError: If a target isn't in the table, with the nearest names.
        ConfigError: If a column to drop isn't in the table or is a target.
    """
    check_targets(table, targets)
    check_dropped(table, drop, targets)
    context = _Context(table, targets, date_order)
    columns: list[Column] = []
    notices: list[Notice] = []
    for name, values in table.frame.items():
        if name == table.part:
            columns.append(Column(str(name), "category", "split", "says which rows train and which test"))
            continue
        if name in drop:
            columns.append(Column(str(name), "text", "drop", "left out by --drop"))
            continue
        if name in table.images:
            asked = name in targets
            reason = "names masks" if asked else "names images"
            columns.append(Column(str(name), "image", "target" if asked else "feature", reason))
            continue
        finding = _find(values, str(name), context)
        columns.append(finding.column)
        notices += finding.notices
    columns = _keep_something(columns)
    return Schema(tuple(columns)), (*notices, *_left_out(columns))


def _find(values: pd.Series, name: str, context: _Context) -> Finding:
    is_target = name in context.targets
    if isinstance(values.dtype, pd.StringDtype):
        decimal = context.table.format.decimal if context.table.format else "."
        finding = text_column(
            values, name, decimal=decimal, date_order=context.date_order, is_target=is_target
        )
    else:
        finding = typed_column(values, name, is_target=is_target)
    if is_target:
        return replace(finding, column=replace(finding.column, role="target"))
    return finding


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
