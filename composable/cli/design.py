"""`composable design`: the architectures of the zoo, and one's own, listed, shown and compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from composable.cli.overwriting import refuse_input
from composable.cli.streams import print_json
from composable.cli.suggesting import SuggestingGroup
from composable.cli.switches import backend_option, debug_switch, json_switch
from composable.cli.typed import Amount, InputShape, TypedInput
from composable.core.terminal import say
from composable.core.workspace import write_atomically

MODALITIES = ("image", "table", "text", "series")  # as `composable.zoo.catalog.family` has them
LATENCY_ROWS = (1, 32)
Verb = TypeVar("Verb", bound=Callable[..., object])


def input_option(function: Verb) -> Verb:
    """`--input SHAPE`."""
    return click.option(
        "--input",
        "inputs",
        type=InputShape(),
        multiple=True,
        metavar="SHAPE",
        help="Of one row: 32,32,3; ? is a free size; repeat name=SHAPE for several; 64:int32 for codes.",
    )(function)


@click.group(cls=SuggestingGroup)
@debug_switch
def command() -> None:
    """List, show and compare network architectures.

    A DESIGN is a name that `list` shows, a family called with its metaparameters
    ("resnet(depth=50, classes=10)"), a family's search space (resnet_space), a JSON file, or a function of
    your own (module:function).
    """


@command.command("list")
@click.option("--modality", type=click.Choice(MODALITIES), help="Only what takes these.")
@click.option(
    "--max-params", type=Amount(), metavar="COUNT", help="At most so many parameters: 5M, 500k, 1e6."
)
@json_switch
@debug_switch
def list_designs(modality: str | None, max_params: float | None, *, as_json: bool) -> None:
    """List the designs of the zoo with their sizes."""
    from composable.zoo.catalog.figures import listing

    rows = listing(modality, max_params)
    if as_json:
        print_json(rows)
        return
    from composable.cli.design_tables import print_designs

    print_designs(rows)


@command.command()
@click.argument("design")
@input_option
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the figure into a file.",
)
@click.option("--latency", "timed", is_flag=True, help="Measure how long predicting takes here.")
@backend_option
@json_switch
@debug_switch
def show(
    design: str,
    inputs: tuple[TypedInput, ...],
    svg: Path | None,
    backend: str | None,
    *,
    timed: bool,
    as_json: bool,
) -> None:
    """Show what DESIGN is made of, and what it costs."""
    from composable.cli.design_facts import drawn, seen

    if svg:
        _keep(design, svg, "--svg")
    found = seen(design, inputs, backend)
    answer = found.answer | (found.latency(LATENCY_ROWS) if timed else {})
    if svg:
        write_atomically(svg, drawn(found))
        say(f"The figure is in {svg}")
    if as_json:
        print_json(answer)
        return
    from composable.cli.design_tables import print_answer

    print_answer(answer, found.figure)


@command.command()
@click.argument("first")
@click.argument("second")
@input_option
@json_switch
@debug_switch
def diff(first: str, second: str, inputs: tuple[TypedInput, ...], *, as_json: bool) -> None:
    """Show where two designs differ, and what each costs."""
    from dataclasses import asdict

    from composable.cli.design_facts import seen

    one, other = (seen(design, inputs) for design in (first, second))
    from composable.design.diff import differences

    found = [asdict(each) for each in differences(one.architecture, other.architecture)]
    if as_json:
        print_json({"first": one.answer, "second": other.answer, "differences": found})
        return
    from composable.cli.design_tables import print_differences

    print_differences(one.answer, other.answer, found)


@command.command()
@click.argument("design")
@input_option
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where the source goes."
)
@json_switch
@debug_switch
def source(design: str, inputs: tuple[TypedInput, ...], out: Path | None, *, as_json: bool) -> None:
    """Print DESIGN as a Python file of plain Keras, which needs no Composable."""
    from composable.cli.design_facts import source_of

    if out:
        _keep(design, out, "--out")
    name, text = source_of(design, inputs)
    if out:
        write_atomically(out, text)
    if as_json:
        print_json({"name": name, "path": str(out)} if out else {"name": name, "source": text})
    elif out:
        click.echo(f"Source: {out}")
    else:
        click.echo(text, nl=False)


def _keep(design: str, path: Path, option: str) -> None:
    """Refuse to write over the file that a design comes from."""
    module, _, function = design.partition(":")
    refuse_input(path, f"{module.replace('.', '/')}.py" if function else design, option=option)
