"""What `composable design` prints for a user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from composable.cli.tables import new_table, print_pairs, print_titled
from composable.core.wording import amount, number, plain, size, whole

if TYPE_CHECKING:  # a figure comes from Keras
    from composable.design.figure import Figure, Row


def print_designs(rows: Sequence[Mapping[str, Any]]) -> None:
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


def print_answer(answer: Mapping[str, Any], figure: Figure | None) -> None:
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
    print_pairs("Cost", costs(answer))
    if "?" in figure.inputs:
        from composable.design.cost import FREE

        click.echo(f"A size that is left free (?) counts as {FREE}.")


def print_differences(
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
    ours, theirs = costs(first), costs(second)
    both = new_table(left=("cost",), right=(names[0],), last=names[1])
    for name in {**ours, **theirs}:
        both.add_row(name, ours.get(name, "-"), theirs.get(name, "-"))
    if both.rows:
        print_titled("Cost", both)


def costs(answer: Mapping[str, Any]) -> dict[str, str]:
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
