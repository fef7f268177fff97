"""The flags of a fit, made of the one declaration of its options."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from composable.auto.option import Field, fields_of
from composable.auto.options import FitOptions

Command = TypeVar("Command", bound=Callable[..., object])


class UserText(click.ParamType):
    """A text of a user's own data, in UTF-8 even where the locale knows only ASCII.

    There Python hands over what was typed as stand-ins for bytes (PEP 383), which equal no name in a file.
    Paths stay as they are, since the system takes the stand-ins back.
    """

    name = "text"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> str:
        """The text as it was typed."""
        try:
            return os.fsencode(value).decode("utf-8")
        except UnicodeError:  # neither; whatever it is, the error about the missing column shows it
            return value


def option_flags(*names: str) -> Callable[[Command], Command]:
    """The flags of these options of a fit, or of all; each reaches the function by the option's name.

    What wasn't typed is None or (), so that a file may decide.
    """
    fields = [field for field in fields_of(FitOptions) if not names or field.name in names]

    def add(function: Command) -> Command:
        for field in reversed(fields):
            function = _flag(field)(function)
        return function

    return add


def layout_flags(function: Command) -> Command:
    """`--encoding` and `--delimiter`, which a verb takes as a `Layout`."""
    return option_flags("encoding", "delimiter")(function)


def trial_flag(function: Command) -> Command:
    """`--trial N`: which candidate of a run answers."""
    return click.option(
        "--trial",
        type=click.IntRange(min=0),
        metavar="N",
        help="The candidate to ask; else the deployed one.",
    )(function)


def _flag(field: Field) -> Callable[[Command], Command]:
    repeat = " Repeat it for several." if field.many else ""
    shown: dict[str, Any] = {"help": field.option.help + repeat}
    if field.type is bool:
        return click.option(field.flag, field.name, is_flag=True, default=None, **shown)
    metavar = None if field.choices else field.option.value
    return click.option(
        field.flag, field.name, type=_type(field), multiple=field.many, metavar=metavar, **shown
    )


def _type(field: Field) -> click.ParamType:
    option = field.option
    if field.choices:
        return click.Choice(field.choices)
    if field.type is int:
        return click.IntRange(min=option.low, max=option.high)
    if field.type is float:
        return click.FloatRange(min=option.above, min_open=True)
    return click.Path() if option.path else UserText()
