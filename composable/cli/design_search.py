"""`composable design search`: the architectures of a space that promise most, before any is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from composable.cli.design_facts import Amount, InputShape, TypedInput
from composable.cli.flags import backend_option, debug_switch, json_switch
from composable.cli.output import new_table, print_json, print_titled, refuse_input
from composable.core.terminal import amount, plain, say, whole
from composable.core.workspace import write_atomically

_SHOWN = 10


@click.command("search")
@click.argument("design")
@click.option(
    "--input", "inputs", type=InputShape(), multiple=True, metavar="SHAPE", help="As `show` takes it."
)
@click.option("--max-params", type=Amount(), metavar="COUNT", help="Parameters at most: 100k.")
@click.option("--max-multiply-adds", type=Amount(), metavar="COUNT", help="For one row at most: 20M.")
@click.option("--max-bytes", type=Amount(), metavar="COUNT", help="Of the weights at most: 400k.")
@click.option("--draws", type=click.IntRange(min=2), default=16, metavar="N", help="Networks drawn at first.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Of all that is random.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the best one."
)
@backend_option
@json_switch
@debug_switch
def command(  # noqa: PLR0913 (click gives every option by its name)
    design: str,
    inputs: tuple[TypedInput, ...],
    max_params: float | None,
    max_multiply_adds: float | None,
    max_bytes: float | None,
    draws: int,
    seed: int,
    out: Path | None,
    backend: str | None,
    *,
    as_json: bool,
) -> None:
    """Search the open choices of DESIGN for networks that promise most, and train none.

    Each is scored on one batch of random inputs, forward and back: how evenly its blocks spread features, how
    this grows, how well gradients come back, and its multiply-adds (AZ-NAS). What --out writes, `fit
    --design` trains.
    """
    from composable.cli.design_facts import searched

    if out:
        refuse_input(out, design, option="--out")
    limits = {"parameters": max_params, "multiply_adds": max_multiply_adds, "bytes": max_bytes}
    stated = {name: value for name, value in limits.items() if value is not None}
    name, found = searched(design, inputs, backend, stated, draws=draws, seed=seed)
    if out:
        write_atomically(out, found[0]["architecture"].to_json())
        say(f"The most promising one is in {out}")
    if as_json:
        print_json([row | {"architecture": row["architecture"].to_config()} for row in found])
        return

    _print(name, found)


def _print(name: str, found: Sequence[Mapping[str, Any]]) -> None:
    table = new_table(
        left=("front",), right=("promise", "blocks", "parameters", "multiply-adds"), last="decisions"
    )
    shown = [row for place, row in enumerate(found) if place < _SHOWN or row["on_front"]]
    for row in shown:
        decided = ", ".join(f"{path}={value}" for path, value in row["decisions"].items())
        table.add_row(
            "*" if row["on_front"] else "",
            f"{row['promise']:.2f}",
            whole(int(row["depth"])),
            whole(int(row["parameters"])),
            amount(row["multiply_adds"]),
            plain(decided),
        )
    print_titled(f"{plain(name)}: the most promising of {len(found)} networks, untrained", table)
    click.echo("Of those with * no other one promises more for as many parameters and multiply-adds.")
