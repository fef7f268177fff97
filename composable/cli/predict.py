"""`composable predict RUN DATA`: answers for new rows, as CSV, or masks as PNG."""

from __future__ import annotations

from pathlib import Path

import click

from composable.cli.streams import print_json, say
from composable.cli.switches import backend_option, debug_switch, json_switch, run_argument


@click.command()
@run_argument
@click.argument("data", type=click.Path())
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Else standard output; for masks a folder.",
)
@click.option("--raw", is_flag=True, help="Don't quote texts that a spreadsheet would take for a formula.")
@backend_option
@json_switch
@debug_switch
def command(run: str, data: str, out: Path | None, backend: str | None, *, raw: bool, as_json: bool) -> None:
    """Answer for the rows of DATA with the model of RUN.

    The columns are `prediction` and, for classes, `p_CLASS`; with several targets `prediction_TARGET` and
    `p_TARGET_CLASS`. A model that learned from masks writes one PNG per image into the folder --out, and
    masks.csv with the share of each class, which is all that is printed without --out.
    """
    from composable.cli.csv_output import check_output, csv_text
    from composable.cli.mask_output import check_mask_folder, predicts_masks, write_masks
    from composable.core.workspace import write_atomically

    masked = predicts_masks(run)
    if out and masked:
        check_mask_folder(out)
    elif out:
        check_output(out, data)

    from composable.cli.opening import open_run
    from composable.cli.saying import say_notices

    prediction = open_run(run, backend).bundle.answer(data)
    answers = prediction.frame
    say_notices(prediction.notices)
    if out and masked:
        write_masks(out, answers, prediction.masks, raw=raw)
        say(f"Wrote {len(answers):,} masks to {out}")
    elif out:
        write_atomically(out, csv_text(answers, raw=raw))
        say(f"Wrote {len(answers):,} predictions to {out}")
    if as_json:
        print_json(answers.to_dict("records"))
    elif not out:
        click.echo(csv_text(answers, raw=raw), nl=False)
