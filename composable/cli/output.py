"""What verbs print: answers as JSON or tables on standard output, failures and all else on standard error."""

from __future__ import annotations

import difflib
import io
import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.auto.progress import notice_line
from composable.core.errors import ComposableError, ConfigError
from composable.core.terminal import console, number, plain, say, size, whole
from composable.core.workspace import finite
from composable.data.schema import Notice

if TYPE_CHECKING:
    from rich.table import Table

    from composable.auto.disk import Removal
    from composable.search.failures import Cause

BUG, USAGE, ENVIRONMENT, INTERRUPTED = 1, 2, 3, 130
PACKAGE = Path(__file__).parents[1]
MOST_COLUMNS = 200  # more than anybody reads on a terminal
ROLES = {
    "network": "",
    "ensemble": "",
    "baseline": "baseline, never deployed",
    "reference": "reference, never deployed",
}


def prepare_streams() -> None:
    """Let a terminal that knows only ASCII show a euro sign's code instead of stopping the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(value: Any) -> None:
    """Print an answer as JSON; in ASCII, so that any terminal and any pipe takes it."""
    click.echo(json.dumps(finite(value), indent=1))


def say_notices(notices: Iterable[Notice]) -> None:
    """Write each notice to standard error, on a line of its own."""
    for notice in notices:
        say(notice_line(asdict(notice)))


def refuse_input(out: Path, data: str, *, option: str = "--out") -> None:
    """Refuse an output file that is the input, under whatever name.

    Raises:
        ConfigError: If it is.
    """
    if out.exists() and Path(data).exists() and out.samefile(data):
        raise ConfigError(
            "An output must not replace the data it is made from.",
            received=f"{option} {out} is the input",
            remedy=f"give {option} another name",
        )


def exit_code_of(failure: BaseException, *, debug: bool) -> int:
    """Say what happened and return the exit code; a traceback appears only with `debug`."""
    if debug and not isinstance(failure, click.exceptions.Exit):
        traceback.print_exception(failure)
    match failure:
        case click.exceptions.Exit():
            return failure.exit_code
        case click.Abort() | KeyboardInterrupt():
            say("Interrupted.")
            return INTERRUPTED
        case click.ClickException():
            failure.show()
            return USAGE
        case ComposableError():
            say(f"Error: {failure}")
            return failure.exit_code
        case BrokenPipeError():
            return _reader_left()
        case OSError() | MemoryError():
            say(f"Error: the system refused: {str(failure) or 'no memory is left'}")
            return ENVIRONMENT
        case _:
            say(_bug_report(failure))
            return BUG


def _reader_left() -> int:
    """Whoever read our output has enough (`| head`): end quietly, also when Python flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _bug_report(failure: BaseException) -> str:
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [frame for frame in frames if PACKAGE in Path(frame.filename).parents]
    what = " ".join(f"{type(failure).__name__}: {failure}".split())
    where = ""
    if ours:
        file = Path(ours[-1].filename).relative_to(PACKAGE.parent).as_posix()
        where = f" ({file}, line {ours[-1].lineno})"
    return f"Error: this is a bug in Composable: {what}{where}. Add --debug to see the whole traceback."


class SuggestingGroup(click.Group):
    """A group of commands that names the nearest."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name.

        Raises:
            click.UsageError: If there is none.
        """
        command = super().get_command(ctx, cmd_name)
        if command is None:
            raise no_such_command(cmd_name, self.list_commands(ctx), ctx)
        return command


def no_such_command(name: str, known: Iterable[str], ctx: click.Context) -> click.UsageError:
    """The error that names the nearest one, or all there are."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return click.UsageError(f"No such command {name!r}. {hint}", ctx)


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


def print_failures(causes: Sequence[Cause]) -> None:
    """Print what failed or was skipped: each cause with its trials, and where to read more."""
    table = new_table(left=("", "trials"), right=("count",), last="cause")
    for one in causes:
        names = ", ".join(f"{each.trial} {plain(each.name)}" for each in one.trials)
        table.add_row(one.status, names, whole(one.count), plain(one.cause))
    print_titled("Trials that failed or were skipped", table)
    for log in (each.log for one in causes for each in one.trials if each.log):
        console().print(f"Log: {plain(log)}")


def print_removals(found: Sequence[Removal], *, dry_run: bool) -> None:
    """Print what goes from a run folder, or would, and how much of the disk that frees."""
    freed = size(sum(one.bytes for one in found))
    if not found:
        console().print("Nothing to remove.")
        return
    table = new_table(left=("",), right=("size",), last="where")
    for one in found:
        table.add_row(plain(one.what), size(one.bytes), plain(one.path))
    print_titled(f"{'Would free' if dry_run else 'Frees'} {freed}", table)


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
