"""`composable evaluate RUN DATA`: how good the model is on labeled rows."""

from __future__ import annotations

import click

from composable.cli.option_flags import layout_flags, trial_flag
from composable.cli.streams import print_json
from composable.cli.switches import backend_option, debug_switch, json_switch, run_argument


@click.command()
@run_argument
@click.argument("data", type=click.Path())
@trial_flag
@layout_flags
@backend_option
@json_switch
@debug_switch
def command(
    run: str, data: str, trial: int | None, backend: str | None, *, as_json: bool, **layout: str | None
) -> None:
    """Score the model of RUN on the labeled rows of DATA.

    A text file is read as that of the fit was; --encoding and --delimiter say where it differs.
    """
    from composable.cli.switches import open_run
    from composable.cli.tables import print_pairs
    from composable.core.terminal import number
    from composable.data.read import Layout

    scores = open_run(run, backend).evaluate(data, trial=trial, layout=Layout(**layout))
    if as_json:
        print_json(scores)
    else:
        print_pairs(f"Scores on {data}", {name: number(score) for name, score in scores.items()})
