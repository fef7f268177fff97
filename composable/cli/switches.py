"""What more than one verb has, spelled once: switches, and the run folder that is opened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from composable.core.backend import choose_backend

if TYPE_CHECKING:  # importing a run imports Keras, and the backend has to be chosen before
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
