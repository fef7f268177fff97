"""What each column is: inferred with a reason, never silently, or as the user's schema says, if it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from composable.core.errors import ConfigError, DataError
from composable.data.kinds import KINDS, kind_reading
from composable.data.kinds.category import word_column
from composable.data.names import listed, require_column, shown
from composable.data.notation import DateOrder
from composable.data.recognize import Finding, RawColumn, typed_nothing
from composable.data.schema import MODEL_KINDS, Column, Kind, Notice, Schema
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


def check_targets(table: Table, targets: Sequence[str]) -> None:
    """Refuse targets that the table doesn't have.

    Raises:
        DataError: With the nearest names; or if a target is named twice.
    """
    names = list(table.frame.columns)
    for target in targets:
        rule = "The target must be a column of the table."
        require_column(target, names, rule=rule, origin=table.origin, error=DataError)
    if len(set(targets)) < len(targets):
        raise DataError("Each target may be named once.", received=listed(targets))


def check_dropped(table: Table, drop: Sequence[str], targets: Sequence[str]) -> None:
    """Refuse to drop what isn't there or is to be predicted.

    Raises:
        ConfigError: With the nearest names.
    """
    names = list(table.frame.columns)
    for name in drop:
        require_column(name, names, rule="A column to drop must be in the table.", origin=table.origin)
        if name in targets:
            raise ConfigError("A column can't be both the target and dropped.", received=shown(name))


def apply_schema(table: Table, schema: Schema, targets: tuple[str, ...] = ()) -> Schema:
    """The user's schema for this table: it wins over inference, whatever the values look like.

    Columns that together were one of a kind are taken one by one if that is given another kind.

    Args:
        table: The table it must fit.
        schema: Columns in any order; columns of the table that it leaves out are dropped.
        targets: The names of the targets; `()` takes those with that role in the schema.

    Returns:
        The schema in the table's column order, with the role "target" on exactly the targets.

    Raises:
        ConfigError: If it names a column that the table doesn't have, or the same one twice.
        DataError: If a target isn't in the table.
    """
    names = list(table.frame.columns)
    holder: dict[str, Column] = {}
    schema = Schema(tuple(one for column in schema.columns for one in _taken_apart(column)))
    for column in schema.columns:
        for name in column.table_columns:
            rule = "Every column of the schema must be in the table."
            require_column(name, names, rule=rule, origin=table.origin)
            if name in holder:
                raise ConfigError("The schema may name a column once.", received=shown(name))
            holder[name] = column
        if column.role == "feature" and column.kind not in MODEL_KINDS:
            raise ConfigError(
                "A feature must be of a kind that the model takes.",
                received=f"{shown(column.name)} has the role 'feature' and the kind {column.kind!r}",
                remedy=f"give it one of the kinds {listed(MODEL_KINDS)}, or the role 'drop'",
            )
    chosen = targets or tuple(column.name for column in schema.targets)
    check_targets(table, chosen)
    grouped = {name for column in schema.columns for name in column.members[1:]}
    return Schema(
        tuple(
            _with_role(holder.get(name), name, is_target=name in chosen)
            for name in names
            if name not in grouped
        )
    )


def _taken_apart(column: Column) -> tuple[Column, ...]:
    """The column, or its members where no kind makes one of several such columns."""
    if not column.members or any(kind.groups and column.kind in kind.reads for kind in KINDS):
        return (column,)
    return tuple(replace(column, name=name, members=()) for name in column.members)


def _with_role(column: Column | None, name: str, *, is_target: bool) -> Column:
    if column is None:
        column = Column(name, "text", "drop", "not in the schema")
    if is_target:
        if not ((kind := kind_reading(column)) and kind.can_be_target):
            raise ConfigError(
                "A target must be a number, a category or a boolean.",
                received=f"{shown(name)} has the kind {column.kind!r} in the schema",
                remedy="set its kind to 'number' or 'category'",
            )
        return replace(column, role="target")
    return replace(column, role="feature") if column.role == "target" else column
