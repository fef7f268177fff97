"""`composable design`: the architectures of the zoo, and one's own, listed, shown and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from composable.cli.design_facts import Amount, InputShape, TypedInput
from composable.cli.design_search import command as search
from composable.cli.flags import backend_option, debug_switch, json_switch
from composable.cli.output import (
    SuggestingGroup,
    new_table,
    print_json,
    print_pairs,
    print_titled,
    refuse_input,
)
from composable.core.terminal import amount, number, plain, say, size, whole
from composable.core.workspace import write_atomically

if TYPE_CHECKING:  # a figure comes from Keras
    from composable.design.figure import Figure, Row

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


command.add_command(search)


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

    _print_designs(rows)


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

    _print_answer(answer, found.figure)


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
    from composable.design.openings import differences

    found = [asdict(each) for each in differences(one.architecture, other.architecture)]
    if as_json:
        print_json({"first": one.answer, "second": other.answer, "differences": found})
        return

    _print_differences(one.answer, other.answer, found)


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


def _print_designs(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the catalog."""
    table = new_table(
        left=("name", "family", "modality"), right=("parameters", "multiply-adds"), last="paper"
    )
    for row in rows:
        table.add_row(
            row["name"],
            row["family"],
            row["modality"],
            whole(row["parameters"]),
            amount(row["multiply_adds"]),
            row["paper"],
        )
    print_titled(f"{len(rows)} designs", table)


def _print_answer(answer: Mapping[str, Any], figure: Figure | None) -> None:
    """Print one design: its figure and its costs, or what it leaves open."""
    if figure is None:
        _print_openings(answer)
        return
    table = new_table(left=("path", "part", "settings"), right=("gives", "parameters"), last="reads")
    for depth, row in _lines(figure.rows):
        table.add_row(
            "  " * depth + row.path,
            row.component + (f" x{row.repeats}" if row.repeats > 1 else ""),
            plain(", ".join(row.settings)),
            row.shape,
            whole(row.parameters) if row.parameters else "",
            row.reads,
        )
    print_titled(f"{plain(figure.title)} on {figure.inputs}", table)
    print_pairs("Cost", _costs(answer))
    if "?" in figure.inputs:
        from composable.design.cost import FREE

        click.echo(f"A size that is left free (?) counts as {FREE}.")


def _print_differences(
    first: Mapping[str, Any], second: Mapping[str, Any], differences: Iterable[Mapping[str, str]]
) -> None:
    """Print where two designs differ, and what each costs."""
    names = plain(first["name"]), plain(second["name"])
    table = new_table(left=("path", names[0]), right=(), last=names[1])
    for each in differences:
        table.add_row(each["path"], plain(each["first"]), plain(each["second"]))
    if table.rows:
        print_titled("Differences", table)
    else:
        click.echo("The designs are the same.")
    ours, theirs = _costs(first), _costs(second)
    both = new_table(left=("cost",), right=(names[0],), last=names[1])
    for name in {**ours, **theirs}:
        both.add_row(name, ours.get(name, "-"), theirs.get(name, "-"))
    if both.rows:
        print_titled("Cost", both)


def _costs(answer: Mapping[str, Any]) -> dict[str, str]:
    """What a design costs, in words; nothing of a search space."""
    if "parameters" not in answer:
        return {}
    found = {
        "parameters": whole(answer["parameters"]["total"]),
        "trainable": whole(answer["parameters"]["trainable"]),
        "multiply-adds for a row": amount(answer["multiply_adds"]),
        "weights": size(answer["bytes"]),
        "activations of a row, at most": size(answer["activation_bytes"]),
    }
    measured = answer.get("latency_seconds", {})
    return found | {f"time, {rows} at once": number(1e3 * value, "ms") for rows, value in measured.items()}


def _print_openings(answer: Mapping[str, Any]) -> None:
    table = new_table(left=("open",), right=(), last="may be")
    for path, opening in answer["openings"].items():
        if "options" in opening:
            words = " | ".join(map(str, opening["options"]))
        else:
            words = f"{opening['low']} to {opening['high']}" + (", on a log scale" if opening["log"] else "")
        table.add_row(plain(path), plain(words))
    print_titled(f"{plain(answer['name'])}: {len(answer['openings'])} open choices", table)


def _lines(rows: Iterable[Row], depth: int = 0) -> list[tuple[int, Row]]:
    return [found for row in rows for found in ((depth, row), *_lines(row.inner, depth + 1))]
