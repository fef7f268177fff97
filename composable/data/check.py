"""Whether the columns that a user names are there: targets, dropped columns, a schema of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composable.core.errors import ConfigError, DataError
from composable.data.kinds import kind_reading
from composable.data.names import listed, require_column, shown
from composable.data.schema import MODEL_KINDS, Column, Schema
from composable.data.table import Table


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
