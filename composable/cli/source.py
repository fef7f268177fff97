"""`composable source RUN`: the winner as a Python file of plain Keras."""

from __future__ import annotations

from pathlib import Path

import click

from composable.cli.streams import print_json
from composable.cli.switches import backend_option, debug_switch, json_switch, run_argument


@click.command()
@run_argument
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where the source goes."
)
@click.option(
    "--import",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Of your own, where components of the design are; repeat it for several.",
)
@backend_option
@json_switch
@debug_switch
def command(
    run: str, out: Path | None, modules: tuple[str, ...], backend: str | None, *, as_json: bool
) -> None:
    """Print the model of RUN as a Python file of plain Keras, which needs no Composable.

    With the files of its bundle it answers raw rows as `composable predict` does. RUN is a run folder, or a
    bundle.
    """
    from composable.core.backend import choose_backend
    from composable.core.workspace import write_atomically

    choose_backend(backend)
    from composable.deploy.bundle import load_bundle
    from composable.deploy.source import bundle_source
    from composable.zoo.catalog.parse import import_user_module

    for module in modules:
        import_user_module(module)
    bundle = load_bundle(run)
    text = bundle_source(bundle)
    if out:
        write_atomically(out, text)
    if as_json:
        print_json({"name": bundle.card.name, **({"path": str(out)} if out else {"source": text})})
    else:
        click.echo(f"Source: {out}" if out else text, nl=bool(out))
