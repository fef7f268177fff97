"""`composable inspect DATA --target COLUMN`: what a table holds and which problem it poses."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from composable.cli.option_flags import option_flags
from composable.cli.streams import print_json, say
from composable.cli.switches import debug_switch, json_switch

if TYPE_CHECKING:  # importing an inspection imports pandas
    from composable.auto.inspect import Inspection


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
    from composable.cli.overwriting import refuse_input
    from composable.core.backend import choose_backend

    if out:
        refuse_input(out, data)
    choose_backend()
    from composable.auto.inspect import inspect
    from composable.cli.schema_output import schema_path, write_schema

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


def _answer(inspection: Inspection) -> dict[str, Any]:
    return {
        "problem": asdict(inspection.problem) if inspection.problem else None,
        "notices": [asdict(notice) for notice in inspection.notices],
        "profile": inspection.profile,
        "schema": asdict(inspection.schema),
    }


def _print(inspection: Inspection) -> None:
    from composable.cli.moment import problem_line
    from composable.cli.saying import say_notices
    from composable.cli.tables import print_columns

    profile, problem = inspection.profile, inspection.problem
    click.echo(f"{profile['rows']:,} rows, {len(inspection.schema.columns):,} columns.")
    print_columns(profile["columns"])
    if problem:
        click.echo(problem_line([asdict(head) for head in problem.heads], problem.metric))
    else:
        click.echo("No target was named; --target COLUMN tells which problem this is.")
    say_notices(inspection.notices)
