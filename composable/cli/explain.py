"""`composable explain RUN`: why the winner won, what was tried, and what to try next."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.auto.option import fields_of
from composable.auto.options import FitOptions
from composable.cli.flags import debug_switch, json_switch, open_run, run_argument
from composable.cli.output import new_table, print_json, print_titled
from composable.core.terminal import console, number, plain

if TYPE_CHECKING:
    from composable.report.why import Advice, Why


@click.command()
@run_argument
@json_switch
@debug_switch
def command(run: str, *, as_json: bool) -> None:
    """Say why the winner of RUN won: what it beats, which choices mattered, and what to try next."""
    opened = open_run(run)
    found = opened.why()
    commands = [_command(one, opened.facts, run) for one in found.advice]
    if as_json:
        advice = [
            {**asdict(one), "command": typed} for one, typed in zip(found.advice, commands, strict=True)
        ]
        print_json(asdict(found) | {"advice": advice})
        return
    _print(found, commands)


def _print(found: Why, commands: list[str]) -> None:
    _print_lines(found.winner)
    _print_tables(found)
    _print_lines(found.tried)
    _print_lines(
        f"{len(one.names)} {one.status}, {one.cause}: {', '.join(one.names[:6])}" for one in found.ended
    )
    if found.advice:
        console().print("What to try next", style="bold")
    for one, typed in zip(found.advice, commands, strict=True):
        _print_lines([f"- {one.text}", f"  {typed}"] if typed else [f"- {one.text}"])


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        console().print(plain(line.replace("\N{NO-BREAK SPACE}", " ")), soft_wrap=True)


def _print_tables(found: Why) -> None:
    if found.members:
        table = new_table(left=("member",), right=("trial", "weight", "score without it"), last="brings")
        for one in found.members:
            shown = (number(one.weight), number(one.without), number(one.brings))
            table.add_row(plain(one.name), str(one.trial), *shown)
        print_titled("Ensemble", table)
    if found.choices:
        table = new_table(left=("choice", "best"), right=("importance",), last="tried")
        for one in found.choices:
            table.add_row(plain(one.choice), plain(one.best), f"{one.importance:.0%}", one.tried)
        print_titled("Choices that mattered (PED-ANOVA)", table)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _command(advice: Advice, facts: dict[str, Any], run: str) -> str:
    """The whole command: that of the fit with other flags, where its data came from a file."""
    if not advice.flags:
        return ""
    if advice.flags.startswith("composable "):
        return f"{advice.flags.rpartition(' ')[0]} {shlex.quote(run)}"
    origin = str(facts.get("data", {}).get("origin", ""))
    if not Path(origin).exists():  # a table in memory: the flags alone say what to change
        return advice.flags
    flag, value = advice.flags.split(" ", 1)
    options, words = facts.get("options", {}), []
    for field in fields_of(FitOptions):
        given = options.get(field.name)
        if field.name == "preset" or given in (None, [], False, field.default):
            continue
        if field.flag == flag and not field.many:
            continue
        for each in given if isinstance(given, list) else [given]:
            words += [field.flag] if each is True else [field.flag, shlex.quote(_text(each))]
    return " ".join(
        [
            "composable",
            "fit",
            shlex.quote(origin),
            *words,
            flag,
            shlex.quote(value),
            "--out",
            shlex.quote(run),
        ]
    )
