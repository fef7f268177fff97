"""`composable fit DATA --target COLUMN`: train networks on a table and keep the best."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.cli.failures import INTERRUPTED
from composable.cli.option_flags import option_flags
from composable.cli.streams import print_json
from composable.cli.switches import backend_option, debug_switch, json_switch
from composable.core.terminal import say

if TYPE_CHECKING:  # importing a run imports Keras, and the backend has to be chosen before
    from composable.auto.run import Run

ENDINGS = {
    "interrupted": "Interrupted; the best model so far is saved, and the same command continues.",
    "already complete": "Nothing to do: this run is complete. A larger budget continues it.",
}


@click.command()
@click.argument("data", type=click.Path(), required=False)
@option_flags()
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Options as YAML or JSON.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder; else below runs/."
)
@click.option("--print-config", is_flag=True, help="Print the options as YAML and train nothing.")
@click.option("--print-schema", is_flag=True, help="Print the JSON schema of --config and train nothing.")
@backend_option
@json_switch
@debug_switch
def command(
    data: str | None,
    config: Path | None,
    out: Path | None,
    backend: str | None,
    *,
    print_config: bool,
    print_schema: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Train networks on the table DATA and keep the best.

    The run folder keeps the model, the scores and the report. The same command again continues a run
    that was interrupted. A flag wins over the same option in the --config file.
    """
    started = time.monotonic()  # the time it takes to import Keras counts, too
    from composable.cli.config_file import config_text, fit_options, schema_text
    from composable.core.backend import choose_backend

    if print_schema:
        click.echo(schema_text())
        return 0
    options = fit_options(flags, config)  # `flags` holds what was typed, by the names of `FitOptions`
    if print_config:
        click.echo(config_text(options))
        return 0
    if data is None:
        raise click.UsageError("Missing argument 'DATA'.")
    choose_backend(backend)

    from composable.auto.fit import fit
    from composable.auto.progress import show_progress
    from composable.auto.run import Run

    with show_progress(options.time_limit, started) as progress:
        try:
            run = fit(data, options, out=out, progress=progress, started=started)
        except KeyboardInterrupt:  # raised after everything was saved, or before there was anything
            if not progress.state.report:
                raise
            run = Run(Path(progress.state.report).parent)
    _print_outcome(run, progress.state.status, as_json=as_json)
    return INTERRUPTED if progress.state.status == "interrupted" else 0


def _print_outcome(run: Run, status: str, *, as_json: bool) -> None:
    from composable.cli.tables import print_leaderboard

    rows = run.candidates()
    deployed = next((row["model"] for row in rows if row["deployed"]), None)
    report = run.path / "report.html"
    if status in ENDINGS:
        say(ENDINGS[status])
    if as_json:
        answer = {"run": str(run.path), "status": status, "deployed": deployed, "report": str(report)}
        print_json(answer | {"leaderboard": rows})
        return
    print_leaderboard(rows)
    click.echo(f"Deployed: {deployed} in {run.path / 'bundle'}" if deployed else "No model was deployed.")
    click.echo(f"Report:   {report}")
