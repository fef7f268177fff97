"""`composable leaderboard RUN`: every candidate with its score and cost."""

from __future__ import annotations

import click

from composable.cli.streams import print_json
from composable.cli.switches import debug_switch, json_switch, run_argument


@click.command()
@run_argument
@json_switch
@debug_switch
def command(run: str, *, as_json: bool) -> None:
    """List every candidate of RUN with its score and cost, best first."""
    from composable.cli.switches import open_run
    from composable.cli.tables import print_leaderboard

    rows = open_run(run).candidates()
    if as_json:
        print_json(rows)
    else:
        print_leaderboard(rows)
