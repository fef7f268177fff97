"""Flags: those that more than one verb has, spelled once, and a fit's, made of their one declaration."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from composable.auto.option import Field, fields_of
from composable.auto.options import FitOptions
from composable.core.backend import choose_backend

if TYPE_CHECKING:
    from composable.auto.run import Run

Command = TypeVar("Command", bound=Callable[..., object])
_UNUSED = ("matplotlib", "sklearn")


@dataclass
class Switches:
    """What holds for the whole command line; click carries it as the context's object."""

    debug: bool = False


def _remember_debug(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 (click's)
    if wanted:
        ctx.ensure_object(Switches).debug = True


def debug_switch(function: Command) -> Command:
    """`--debug`, before the verb or after it."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,  # so that it holds for errors in the other options, too
        callback=_remember_debug,
        help="Show the whole traceback of an error.",
    )(function)


def json_switch(function: Command) -> Command:
    """`--json`, which reaches the function as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON alone on standard output.")(
        function
    )


def backend_option(function: Command) -> Command:
    """`--backend NAME`."""
    return click.option(
        "--backend",
        type=click.Choice(("jax", "tensorflow", "torch")),
        help="What Keras runs on; by default KERAS_BACKEND, else the first one installed.",
    )(function)


def run_argument(function: Command) -> Command:
    """`RUN`, the run folder, as a path in text."""
    return click.argument("run", metavar="RUN", type=click.Path())(function)


def open_run(path: str, backend: str | None = None) -> Run:
    """The run in a folder, on the backend asked for.

    Raises:
        ArtifactError: If there is no run there.
        SetupError: If the backend isn't there.
    """
    choose_backend(backend)
    _import_keras()
    from composable.auto.run import Run

    return Run(path)


def _import_keras() -> None:
    """Without what Keras brings along for pictures and for scikit-learn, which takes longer than itself."""
    unused = [name for name in _UNUSED if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules |= dict.fromkeys(unused)  # None stands for a module that isn't installed
    try:
        import keras  # noqa: F401
    finally:
        for name in unused:
            del modules[name]


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
