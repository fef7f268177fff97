"""`composable report RUN`: the report of a run, written anew."""

from __future__ import annotations

import click

from composable.cli.streams import print_json
from composable.cli.switches import debug_switch, json_switch, run_argument


@click.command()
@run_argument
@json_switch
@debug_switch
def command(run: str, *, as_json: bool) -> None:
    """Write the report of RUN anew from its folder and say where it is."""
    from composable.cli.switches import open_run

    page = open_run(run).report()
    if as_json:
        print_json({"report": str(page)})
    else:
        click.echo(f"Report: {page}")
