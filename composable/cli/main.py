"""The command `composable`: finds the verb, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from composable.cli.flags import Switches, debug_switch
from composable.cli.output import exit_code_of, no_such_command, prepare_streams

# The verbs and what they are for, here so that the help page imports none of them.
VERBS = {
    "inspect": "Show what a table holds and which problem it poses; write the schema to edit.",
    "space": "Show what a fit would search, or write it for editing.",
    "fit": "Train networks on a table and keep the best.",
    "status": "Say how far the fit of a run is, and how long it will still take.",
    "leaderboard": "List every candidate of a run with its score and cost.",
    "explain": "Say why the winner of a run won, and what to try next.",
    "failures": "List the trials of a run that failed or were skipped, by cause.",
    "predict": "Answer for new rows.",
    "evaluate": "Score a run on labeled rows.",
    "export": "Write a run's model for use elsewhere.",
    "source": "Print a run's model as a Python file of plain Keras.",
    "report": "Write a run's report and say where it is.",
    "design": "List, show and compare network architectures.",
    "clean": "Remove what a finished run doesn't need; scores and the deployed model stay.",
    "doctor": "Show versions, the backend, and what is missing.",
}
# The short ones on a run share a module; each other verb is the `command` of a module of its own.
RUN_VERBS = ("status", "leaderboard", "failures", "evaluate", "export", "source", "report", "clean")


class Verbs(click.Group):
    """A group that imports the module of a verb only when that verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The verbs in the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of a verb.

        Raises:
            click.UsageError: If there is no such verb; names the nearest.
        """
        if cmd_name not in VERBS:
            raise no_such_command(cmd_name, VERBS, ctx)
        if cmd_name in RUN_VERBS:
            return getattr(importlib.import_module("composable.cli.run_verbs"), cmd_name)
        return importlib.import_module(f"composable.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        from composable import __version__

        click.echo(f"composable {__version__}")
        ctx.exit()


@click.command(
    cls=Verbs,
    name="composable",
    epilog="Exit codes: 0 done, 2 data or configuration, 3 environment, 4 no model, 130 interrupted.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version.",
)
@debug_switch
def composable() -> None:
    """From your own data to a deployed deep model, automatically."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises an `Exception`."""
    prepare_streams()
    switches = Switches()
    try:
        code = composable.main(arguments, prog_name="composable", standalone_mode=False, obj=switches)
    except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001 (the outermost boundary)
        return exit_code_of(failure, debug=switches.debug)
    return code if isinstance(code, int) else 0


def main() -> None:
    """The entry point of the installed command."""
    sys.exit(run())
