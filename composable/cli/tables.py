"""The tables that verbs print, drawn by rich."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from composable.core.terminal import console, number, plain, size, whole

if TYPE_CHECKING:  # rich is imported when a table is drawn
    from rich.table import Table

MOST_COLUMNS = 200  # more than anybody reads on a terminal
ROLES = {
    "network": "",
    "ensemble": "",
    "baseline": "baseline, never deployed",
    "reference": "reference, never deployed",
}


def print_leaderboard(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows of `Run.candidates()`, best first, and what to expect of the deployed model."""
    if not rows:
        console().print("No candidate has finished yet.")
        return
    metric = rows[0]["metric"]
    tested = any(row["test"] is not None for row in rows)
    test = ("test",) if tested else ()
    right = ("trial", "validation", *test, "seconds", "parameters", "size", "latency")
    table = new_table(left=("", "model"), right=right, last="remark")
    for row in rows:
        table.add_row(
            str(row["rank"] or ""),
            plain(row["model"]),
            whole(row.get("trial")),
            number(row["validation"]),
            *([number(row["test"])] if tested else []),
            number(row["seconds"]),
            whole(row["parameters"]),
            size(row["bytes"]),
            number(row["latency_ms"], "ms"),
            _remark(row),
            style="bold" if row["deployed"] else None,
        )
    better = "higher" if rows[0]["higher_is_better"] else "lower"
    print_titled(f"Leaderboard by {metric}, {better} is better", table)
    for row in rows:
        if row["deployed"] and row.get("expected") is not None:
            low, high = number(row["expected_low"]), number(row["expected_high"])
            expected = f"{metric} {number(row['expected'])}, with 90 % probability between {low} and {high}"
            console().print(f"Expected on new rows: {expected}.", highlight=False)


def _remark(row: Mapping[str, Any]) -> str:
    if row["deployed"]:
        return "deployed"
    if row["status"] == "done":
        return ROLES[row["role"]]
    return plain(f"{row['status']}: {row['reason']}" if row["reason"] else row["status"])


def print_columns(columns: Sequence[Mapping[str, Any]]) -> None:
    """Print the columns of a profile: what each holds, what it is used for, and why."""
    table = new_table(left=("column", "kind", "role"), right=("missing", "distinct"), last="reason")
    for column in columns[:MOST_COLUMNS]:
        table.add_row(
            plain(column["name"]),
            column["kind"],
            column["role"],
            number(column["missing"]),
            number(column["distinct"]),
            plain("; ".join((column["reason"], *column["warnings"]))),
        )
    print_titled("Columns", table)
    if len(columns) > MOST_COLUMNS:
        console().print(
            f"... and {len(columns) - MOST_COLUMNS:,} more columns; --json and the schema list them."
        )


def print_pairs(title: str, pairs: Mapping[str, str]) -> None:
    """Print names and what belongs to them."""
    table = new_table(left=("",), right=(), last="")
    table.show_header = False
    for name, value in pairs.items():
        table.add_row(plain(name), value)
    print_titled(title, table)


def new_table(*, left: Sequence[str], right: Sequence[str], last: str) -> Table:
    """A table whose cells break rather than vanish: texts, then numbers, then a text."""
    from rich.table import Table

    table = Table()
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", overflow="fold")
    table.add_column(last, overflow="fold")
    return table


def print_titled(title: str, table: Table) -> None:
    """Print a table under its title."""
    terminal = console()
    terminal.print(title, style="bold")
    terminal.print(table)
