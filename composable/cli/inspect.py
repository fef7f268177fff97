"""`composable inspect DATA --target COLUMN`: what a table holds and which problem it poses."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.cli.flags import debug_switch, json_switch, option_flags
from composable.cli.output import print_json, say_notices
from composable.core.terminal import say

if TYPE_CHECKING:  # importing an inspection imports pandas
    from composable.auto.inspect import Inspection
    from composable.data.schema import Schema

TABLE_SUFFIXES = (".gz", ".csv", ".tsv", ".txt", ".parquet")


@click.command()
@click.argument("data", type=click.Path())
@option_flags("target", "problem", "drop", "encoding", "delimiter", "decimal", "date_order")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where the schema goes.")
@click.option("--force", is_flag=True, help="Replace a schema file that is there and differs.")
@json_switch
@debug_switch
def command(data: str, out: Path | None, *, force: bool, as_json: bool, **choices: Any) -> None:
    """Show what the table DATA holds and which problem it poses, with reasons and warnings.

    Writes the schema beside DATA as NAME.schema.json: edit it and pass it to `fit --schema`.
    """
    from composable.cli.output import refuse_input
    from composable.core.backend import choose_backend

    if out:
        refuse_input(out, data)
    choose_backend()
    from composable.auto.inspect import inspect

    inspection = inspect(data, **choices)  # the options above, by the names that `inspect` gives them
    path = out or schema_path(data)
    if as_json:
        print_json(_answer(inspection) | {"schema_path": str(path)})
    else:
        _print(inspection)
    try:
        say(write_schema(inspection.schema, path, force=force))
    except OSError as refused:
        if out:
            raise
        say(f"Couldn't write the schema to {path} ({refused.strerror}); --out FILE puts it elsewhere.")


def schema_path(data: str) -> Path:
    """`cars.csv.gz` has its schema beside it in `cars.schema.json`."""
    path = Path(data)
    name = path.name
    for suffix in TABLE_SUFFIXES:
        name = name.removesuffix(suffix)
    return path.with_name(f"{name or path.name}.schema.json")


def write_schema(schema: Schema, path: Path, *, force: bool) -> str:
    """Write a schema and return the sentence that says so.

    A file that is there with another content may have been edited, so it stays unless `force` says otherwise;
    that is no error, since the inspection itself was asked for and is done.

    Raises:
        OSError: If the file can't be written.
    """
    from composable.core.records import to_json
    from composable.core.workspace import write_atomically
    from composable.data.schema import SCHEMA_VERSION

    text = to_json(schema, format="schema", version=SCHEMA_VERSION) + "\n"
    if not force and path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        return f"Kept {path}, which differs from what was found now; --force replaces it."
    write_atomically(path, text)
    return f"Schema: {path} (edit it and pass it to `composable fit --schema`)"


def _answer(inspection: Inspection) -> dict[str, Any]:
    return {
        "problem": asdict(inspection.problem) if inspection.problem else None,
        "notices": [asdict(notice) for notice in inspection.notices],
        "profile": inspection.profile,
        "schema": asdict(inspection.schema),
    }


def _print(inspection: Inspection) -> None:
    from composable.auto.progress import problem_line
    from composable.cli.output import print_columns

    profile, problem = inspection.profile, inspection.problem
    click.echo(f"{profile['rows']:,} rows, {len(inspection.schema.columns):,} columns.")
    print_columns(profile["columns"])
    if problem:
        click.echo(problem_line([asdict(head) for head in problem.heads], problem.metric))
    else:
        click.echo("No target was named: add --target COLUMN to see which problem it poses.")
    say_notices(inspection.notices)
