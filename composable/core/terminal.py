"""What is shown on a terminal beside the answer of a command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # rich is imported when something is drawn, so that a help page comes at once
    from rich.console import Console

PIPE_WIDTH = 200  # characters per line where the output isn't a terminal, wide enough not to break cells


def say(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 (what this function is for)


def console(*, stderr: bool = False) -> Console:
    """A rich console that neither reads markup in a user's texts nor breaks lines in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)
