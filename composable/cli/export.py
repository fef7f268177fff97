"""`composable export RUN --format F --out DIR`: the model for use elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from composable.cli.streams import print_json
from composable.cli.switches import backend_option, debug_switch, json_switch, run_argument


@click.command()
@run_argument
@click.option(
    "--format", required=True, type=click.Choice(("keras", "onnx")), help="keras: a bundle; onnx: one file."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to write it."
)
@backend_option
@json_switch
@debug_switch
def command(
    run: str, format: Literal["keras", "onnx"], out: Path, backend: str | None, *, as_json: bool
) -> None:
    """Write the model of RUN for use elsewhere: raw rows in, labels and probabilities out."""
    from composable.cli.switches import open_run

    written = open_run(run, backend).export(format, out)
    if as_json:
        print_json({"format": format, "path": str(written)})
    else:
        click.echo(f"Exported to {written}")
