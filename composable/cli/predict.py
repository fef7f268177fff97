"""`composable predict RUN DATA`: answers for new rows, as CSV, or masks as PNG."""

from __future__ import annotations

from pathlib import Path

import click

from composable.cli.option_flags import UserText, layout_flags, trial_flag
from composable.cli.streams import print_json, say_notices
from composable.cli.switches import backend_option, debug_switch, json_switch, run_argument
from composable.core.terminal import say


@click.command()
@run_argument
@click.argument("data", type=click.Path())
@click.option(
    "--id",
    "ids",
    type=UserText(),
    multiple=True,
    metavar="COLUMN",
    help="A column of DATA that is kept before the predictions. Repeat it for several.",
)
@trial_flag
@layout_flags
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
def command(  # noqa: PLR0913 (click hands over each option)
    run: str,
    data: str,
    ids: tuple[str, ...],
    trial: int | None,
    out: Path | None,
    backend: str | None,
    *,
    raw: bool,
    as_json: bool,
    **layout: str | None,
) -> None:
    """Answer for the rows of DATA with the model of RUN.

    The columns are `prediction` and, for classes, `p_CLASS`; with several targets `prediction_TARGET` and
    `p_TARGET_CLASS`. A model that learned from masks writes one PNG per image into the folder --out, and
    masks.csv with the share of each class, which is all that is printed without --out. A text file is read as
    that of the fit was; --encoding and --delimiter say where it differs.
    """
    from composable.cli.csv_output import check_output, csv_text
    from composable.cli.mask_output import check_mask_folder, predicts_masks, write_masks
    from composable.core.workspace import write_atomically

    masked = predicts_masks(run)
    if out and masked:
        check_mask_folder(out)
    elif out:
        check_output(out, data)

    from composable.cli.open_run import open_run
    from composable.data.read import Layout

    opened = open_run(run, backend)
    prediction = opened.answering(trial).answer(data, ids=ids, layout=opened.layout(Layout(**layout)))
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
