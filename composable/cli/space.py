"""`composable space DATA --target COLUMN`: what a fit would search, path by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.auto.options import options_from
from composable.cli.flags import debug_switch, json_switch, option_flags
from composable.cli.output import new_table, print_json, print_titled
from composable.core.terminal import plain, say

if TYPE_CHECKING:  # importing a space imports Keras
    from composable.auto.space import SearchSpace
    from composable.design.choice import Open

_OPTIONS = (
    "target", "problem", "time_limit", "max_epochs", "max_parameters", "split", "duplicates", "schema",
    "weight", "drop", "design", "training", "pins", "ranges", "exclude", "tries", "space",
    "image_size", "keep_aspect",
    "augment", "seed", "encoding", "delimiter", "decimal", "date_order", "drop_missing_target", "allow_leaks",
)  # fmt: skip


@click.command()
@click.argument("data", type=click.Path())
@option_flags(*_OPTIONS)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the space, to be edited.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@json_switch
@debug_switch
def command(data: str, out: Path | None, *, force: bool, as_json: bool, **choices: Any) -> None:
    """Show what a fit of DATA would search: families, what is open in each, and what is tried first.

    The paths are those that `fit --set` and `fit --range` take. With --out the space becomes a file: edit it
    and pass it to `fit --space`.
    """
    from composable.cli.output import refuse_input
    from composable.core.backend import choose_backend
    from composable.core.errors import ConfigError
    from composable.core.workspace import write_atomically

    if out:
        refuse_input(out, data)
        if out.exists() and not force:
            raise ConfigError(
                "A file that is there stays.",
                received=str(out),
                remedy="--force replaces it, or choose another",
            )
    typed = {name: value for name, value in choices.items() if value not in (None, ())}
    options = options_from(typed, origin="the command line")
    choose_backend()
    from composable.auto.space import space

    found = space(data, options)
    if out:
        write_atomically(out, found.to_json())
        say(f"Space: {out} (edit it and pass it to `composable fit --space`)")
    elif as_json:
        print_json([row | {"options": _json(row["options"])} for row in _plain_rows(found)])
    else:
        _print(found)


def _plain_rows(found: SearchSpace) -> list[dict[str, Any]]:
    from composable.design.config import to_config

    return [row | {"portfolio": [to_config(one) for one in row["portfolio"]]} for row in found.rows()]


def _json(opening: Open | None) -> Any:
    from composable.design.config import to_config

    return None if opening is None else to_config(opening)


def _print(found: SearchSpace) -> None:
    table = new_table(left=("family", "path", "options"), right=(), last="tried first")
    for row in found.rows():
        values = ", ".join(_shown(value) for value in row["portfolio"])
        table.add_row(
            plain(row["family"]), plain(row["path"] or "-"), plain(_told(row["options"])), plain(values)
        )
    print_titled("Search space", table)


def _told(opening: Open | None) -> str:
    """What may be chosen, in words."""
    from composable.design.choice import Choice

    if opening is None:
        return "nothing is open"
    if isinstance(opening, Choice):
        return " | ".join(map(_shown, opening.options))
    return f"{_shown(opening.low)} to {_shown(opening.high)}" + (" (log scale)" if opening.log else "")


def _shown(value: Any) -> str:
    """A value as one reads it: of parts, the names of their components and how many there are."""
    from composable.design.part import Part

    if isinstance(value, Part):
        return value.name
    if isinstance(value, tuple) and any(isinstance(each, Part | tuple) for each in value):
        each_shown = [_shown(each) for each in value]
        counts = {one: each_shown.count(one) for one in each_shown}
        return " + ".join(one if count == 1 else f"{count} x {one}" for one, count in counts.items())
    return f"{value:.3g}" if isinstance(value, float) else repr(value)
