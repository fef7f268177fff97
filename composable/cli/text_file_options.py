"""The flags that overrule how a text file is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, get_args, get_type_hints

import click

from composable.auto.options import FitOptions

Command = TypeVar("Command", bound=Callable[..., object])


def words_of(option: str) -> click.Choice[str]:
    """The words that an option of `FitOptions` accepts, read from its type so that they are spelled once."""
    literal, _none = get_args(get_type_hints(FitOptions)[option])
    return click.Choice(get_args(literal))


def _mark(_ctx: click.Context, _option: click.Parameter, typed: str | None) -> str | None:
    """A tab is hard to type in a shell, so its names are understood."""
    return "\t" if typed in ("tab", "\\t") else typed


def text_file_options(function: Command) -> Command:
    """`--encoding`, `--delimiter`, `--decimal` and `--date-order`."""
    options = (
        click.option("--encoding", metavar="NAME", help="Overrule the detected encoding of a text file."),
        click.option("--delimiter", metavar="MARK", callback=_mark, help="Overrule the detected delimiter."),
        click.option("--decimal", metavar="MARK", help="Overrule the detected decimal mark."),
        click.option("--date-order", type=words_of("date_order"), help="How to read 01/02/2024."),
    )
    for option in reversed(options):
        function = option(function)
    return function
