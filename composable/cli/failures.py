"""From what went wrong to a message on standard error and an exit code."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

import click

from composable.core.errors import ComposableError
from composable.core.terminal import say

BUG, USAGE, ENVIRONMENT, INTERRUPTED = 1, 2, 3, 130
PACKAGE = Path(__file__).parents[1]


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
