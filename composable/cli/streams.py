"""What goes where: answers on standard output, everything else on standard error."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from composable.core.workspace import finite

if TYPE_CHECKING:  # rich is imported when something is drawn, so that the help page comes at once
    from rich.console import Console

PIPE_WIDTH = 200  # characters per line where the output isn't a terminal, wide enough not to break cells


def prepare_streams() -> None:
    """Let a terminal that knows only ASCII show a euro sign's code instead of stopping the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(value: Any) -> None:
    """Print an answer as JSON; in ASCII, so that any terminal and any pipe takes it."""
    click.echo(json.dumps(finite(value), indent=1))


def say(text: str) -> None:
    """Tell the user something that isn't the answer."""
    click.echo(text, err=True)


def console(*, stderr: bool = False) -> Console:
    """A rich console that neither reads markup in a user's texts nor breaks lines in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)
