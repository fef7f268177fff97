"""What goes where: answers on standard output, all else on standard error, nothing over an input."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from composable.auto.progress import notice_line
from composable.core.errors import ConfigError
from composable.core.terminal import say
from composable.core.workspace import finite
from composable.data.schema import Notice


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
