"""Whether the columns that a user names are there: targets, dropped columns, a schema of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composable.core.errors import ConfigError, DataError
from composable.data.names import did_you_mean, listed, shown
from composable.data.schema import MODEL_KINDS, Column, Schema
from composable.data.table import Table


def check_targets(table: Table, targets: Sequence[str]) -> None:
    """Refuse targets that the table doesn't have.

    Raises:
        DataError: With the nearest names; or if a target is named twice.
    """
    names = list(table.frame.columns)
    for target in targets:
        if target not in names:
            raise DataError(
                "The target must be a column of the table.",
                received=f"{table.origin} has no column {shown(target)}",
                remedy=did_you_mean(target, names),
            )
    if len(set(targets)) < len(targets):
        raise DataError("Each target may be named once.", received=listed(targets))


def check_dropped(table: Table, drop: Sequence[str], targets: Sequence[str]) -> None:
    """Refuse to drop what isn't there or is to be predicted.

    Raises:
        ConfigError: With the nearest names.
    """
    names = list(table.frame.columns)
    for name in drop:
        if name not in names:
            raise ConfigError(
                "A column to drop must be in the table.",
                received=f"{table.origin} has no column {shown(name)}",
                remedy=did_you_mean(name, names),
            )
        if name in targets:
            raise ConfigError("A column can't be both the target and dropped.", received=shown(name))


def apply_schema(table: Table, schema: Schema, targets: tuple[str, ...] = ()) -> Schema:
    """The user's schema for this table: it wins over inference, whatever the values look like.

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
    for column in schema.columns:
        for name in column.table_columns:
            if name not in names:
                raise ConfigError(
                    "Every column of the schema must be in the table.",
                    received=f"{table.origin} has no column {shown(name)}",
                    remedy=did_you_mean(name, names),
                )
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


def _with_role(column: Column | None, name: str, *, is_target: bool) -> Column:
    if column is None:
        column = Column(name, "text", "drop", "not in the schema")
    if is_target:
        if column.kind not in ("number", "category", "boolean"):
            raise ConfigError(
                "A target must be a number, a category or a boolean.",
                received=f"{shown(name)} has the kind {column.kind!r} in the schema",
                remedy="set its kind to 'number' or 'category'",
            )
        return replace(column, role="target")
    return replace(column, role="feature") if column.role == "target" else column
