"""The short verbs on a run: its candidates, what failed, scores on labeled rows, its model elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from composable.cli.flags import (
    backend_option,
    debug_switch,
    json_switch,
    layout_flags,
    open_run,
    run_argument,
    trial_flag,
)
from composable.cli.output import print_failures, print_json, print_leaderboard, print_pairs, print_removals
from composable.core.backend import choose_backend
from composable.core.terminal import number
from composable.core.workspace import write_atomically

if TYPE_CHECKING:
    from composable.auto.disk import Removal


@click.command()
@run_argument
@json_switch
@debug_switch
def status(run: str, *, as_json: bool) -> None:
    """Say how far the fit of RUN is: while it goes on, what is tried and how long it will take."""
    from composable.auto.status import run_status

    found = run_status(Path(run))
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(found.text)


@click.command()
@run_argument
@json_switch
@debug_switch
def leaderboard(run: str, *, as_json: bool) -> None:
    """List every candidate of RUN with its score and cost, best first."""
    rows = open_run(run).candidates()
    if as_json:
        print_json(rows)
    else:
        print_leaderboard(rows)


@click.command()
@run_argument
@json_switch
@debug_switch
def failures(run: str, *, as_json: bool) -> None:
    """List the trials of RUN that failed or were skipped, those of the same cause together."""
    causes = open_run(run).failures()
    if as_json:
        print_json([asdict(one) for one in causes])
    elif causes:
        print_failures(causes)
    else:
        click.echo("No trial failed or was skipped.")


@click.command()
@run_argument
@click.argument("data", type=click.Path())
@trial_flag
@layout_flags
@backend_option
@json_switch
@debug_switch
def evaluate(
    run: str, data: str, trial: int | None, backend: str | None, *, as_json: bool, **layout: str | None
) -> None:
    """Score the model of RUN on the labeled rows of DATA.

    A text file is read as that of the fit was; --encoding and --delimiter say where it differs.
    """
    from composable.data.read import Layout

    scores = open_run(run, backend).evaluate(data, trial=trial, layout=Layout(**layout))
    if as_json:
        print_json(scores)
    else:
        print_pairs(f"Scores on {data}", {name: number(score) for name, score in scores.items()})


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
def export(
    run: str, format: Literal["keras", "onnx"], out: Path, backend: str | None, *, as_json: bool
) -> None:
    """Write the model of RUN for use elsewhere: raw rows in, labels and probabilities out."""
    written = open_run(run, backend).export(format, out)
    if as_json:
        print_json({"format": format, "path": str(written)})
    else:
        click.echo(f"Exported to {written}")


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
def source(
    run: str, out: Path | None, modules: tuple[str, ...], backend: str | None, *, as_json: bool
) -> None:
    """Print the model of RUN as a Python file of plain Keras, which needs no Composable.

    With the files of its bundle it answers raw rows as `composable predict` does. RUN is a run folder, or a
    bundle.
    """
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


@click.command()
@run_argument
@json_switch
@debug_switch
def report(run: str, *, as_json: bool) -> None:
    """Write the report of RUN anew from its folder and say where it is."""
    page = open_run(run).report()
    if as_json:
        print_json({"report": str(page)})
    else:
        click.echo(f"Report: {page}")


@click.command()
@run_argument
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    metavar="N",
    help="How many of the best candidates keep their weights beside the deployed ones.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@json_switch
@debug_switch
def clean(run: str, keep: int, *, dry_run: bool, as_json: bool) -> None:
    """Remove from RUN the weights that aren't deployed, checkpoints, and rows copied for other processes.

    The deployed model, every score and the report stay. A cleaned candidate can't be asked by
    --trial any more.
    """
    choose_backend()
    from composable.auto.disk import clean as clean_run

    def show(found: Sequence[Removal]) -> bool:
        if not as_json:
            print_removals(found, dry_run=dry_run)
        return not dry_run

    found = clean_run(Path(run), keep=keep, show=show)
    if as_json:
        freed = sum(one.bytes for one in found)
        print_json(
            {"run": run, "removed": not dry_run, "bytes": freed, "what": [asdict(one) for one in found]}
        )
