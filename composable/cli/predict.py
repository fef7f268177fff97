"""`composable predict RUN DATA`: answers for new rows, as CSV, or masks as PNG.

The CSV is safe to open in a spreadsheet. A spreadsheet runs a cell that starts with one of `= + - @`, a tab
or a line break as a formula, and a class or a column may be called anything (OWASP, "CSV Injection"). Such
texts get a leading apostrophe. What is a number stays as it is, so that -1.5 is still one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from composable.cli.flags import (
    UserText,
    backend_option,
    debug_switch,
    json_switch,
    layout_flags,
    run_argument,
    trial_flag,
)
from composable.cli.output import print_json, refuse_input, say_notices
from composable.core.errors import ConfigError
from composable.core.terminal import say
from composable.core.workspace import atomic_file, write_atomically

if TYPE_CHECKING:  # these take long to import, and a wrong --out should be refused at once
    import numpy as np
    import pandas as pd

    from composable.deploy.bundle import Prediction

MASKS_TABLE = "masks.csv"
DANGEROUS = re.compile(r"[=+\-@\t\r\n]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


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
    masked = _predicts_masks(run)
    if out and masked:
        _check_mask_folder(out)
    elif out:
        check_output(out, data)

    from composable.cli.flags import open_run
    from composable.data.read import Layout

    opened = open_run(run, backend)
    answering, read_as = opened.answering(trial), opened.layout(Layout(**layout))
    if as_json or masked:
        prediction = answering.answer(data, ids=ids, layout=read_as)
        say_notices(prediction.notices)
        _write_whole(prediction, out, masked=masked, as_json=as_json, raw=raw)
        return
    parts = _with_notices_once(answering.answer_parts(data, ids=ids, layout=read_as))
    if out:
        with atomic_file(out) as stream:
            write = lambda text: stream.write(text.encode(errors="backslashreplace"))  # noqa: E731
            rows = _write_parts(parts, write, raw=raw)
        say(f"Wrote {rows:,} predictions to {out}")
    else:
        _write_parts(parts, partial(click.echo, nl=False), raw=raw)


def _write_whole(prediction: Prediction, out: Path | None, *, masked: bool, as_json: bool, raw: bool) -> None:
    """Write masks, or what is printed as JSON too."""
    answers = prediction.frame
    if out and masked:
        _write_masks(out, answers, prediction.masks, raw=raw)
        say(f"Wrote {len(answers):,} masks to {out}")
    elif out:
        write_atomically(out, csv_text(answers, raw=raw))
        say(f"Wrote {len(answers):,} predictions to {out}")
    if as_json:
        print_json(answers.to_dict("records"))
    elif not out:
        click.echo(csv_text(answers, raw=raw), nl=False)


def _with_notices_once(parts: Iterable[Prediction]) -> Iterator[pd.DataFrame]:
    """The answers of each part; what is to be said of several is said of the first of them."""
    known: set[str] = set()
    for part in parts:
        texts = {re.sub(r"[\d,.]+", "", notice.text): notice for notice in part.notices}
        say_notices(notice for text, notice in texts.items() if text not in known)
        known |= texts.keys()
        yield part.frame


def _write_parts(parts: Iterable[pd.DataFrame], write: Callable[[str], object], *, raw: bool) -> int:
    """Write the parts one after another as one CSV; gives the number of its rows."""
    rows = 0
    for number, frame in enumerate(parts):
        write(csv_text(frame, raw=raw, header=number == 0))
        rows += len(frame)
    return rows


def _predicts_masks(run: str) -> bool:
    """Whether a run folder says so; what is wrong with it comes to light when it is opened."""
    try:
        problem = json.loads((Path(run) / "run.json").read_text(encoding="utf-8"))["problem"]
        return any(head["kind"] == "mask" for head in problem["heads"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _check_mask_folder(out: Path) -> None:
    """Refuse, before any work, a folder that masks can't be written to.

    Raises:
        ConfigError: If it is a file, or holds other files than masks that were written before.
    """
    if (out.exists() and not out.is_dir()) or out.suffix.lower() == ".csv":
        raise ConfigError(
            "Masks are written to a folder, one PNG per image.",
            received=f"--out {out}",
            remedy=f"--out {out.with_suffix('')}",
        )
    if out.is_dir() and any(out.iterdir()) and not (out / MASKS_TABLE).is_file():
        raise ConfigError(
            "Masks are written to a new folder, an empty one, or one of earlier masks.",
            received=f"{out} holds other files",
            remedy="choose another --out",
        )


def _write_masks(out: Path, frame: pd.DataFrame, masks: Sequence[np.ndarray], *, raw: bool) -> None:
    """Write each mask under the name of its image, and `masks.csv` with both names and the shares."""
    from PIL import Image

    from composable.core.workspace import write_atomically

    names = list(_mask_names([str(name) for name in frame["file"]]))
    for name, mask in zip(names, masks, strict=True):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(out / name)
    described = frame.copy()
    described.insert(1, "mask", names)
    write_atomically(out / MASKS_TABLE, csv_text(described, raw=raw))


def _mask_names(images: Sequence[str]) -> Iterator[str]:
    """A path inside the folder for each image: its own with another ending, all different."""
    taken: set[str] = set()
    for image in images:
        path = PurePath(image)
        inside = PurePath(*(part for part in path.parts if part not in ("..", path.anchor)))
        name = inside.with_suffix(".png").as_posix()
        if name in taken:  # a.jpg beside a.png
            name = f"{inside.as_posix()}.png"
        number = 2
        while name in taken:
            name, number = inside.with_name(f"{inside.name}-{number}.png").as_posix(), number + 1
        taken.add(name)
        yield name


def csv_text(frame: pd.DataFrame, *, raw: bool, header: bool = True) -> str:
    """The table as CSV without an index; `raw` leaves every text as it is."""
    import pandas as pd

    if not raw:
        columns = {position: _safe_column(frame.iloc[:, position]) for position in range(frame.shape[1])}
        names = [safe_cell(name) for name in frame.columns]
        frame = pd.DataFrame(columns, index=frame.index).set_axis(names, axis="columns")
    return frame.to_csv(index=False, lineterminator="\n", header=header)


def safe_cell(cell: object) -> object:
    """The cell, with an apostrophe in front if a spreadsheet would run it."""
    if isinstance(cell, str) and DANGEROUS.match(cell) and not NUMBER.match(cell):
        return f"'{cell}"
    return cell


def _safe_column(column: pd.Series) -> pd.Series:
    from pandas.api.types import is_numeric_dtype

    return column if is_numeric_dtype(column) else column.astype(object).map(safe_cell)


def check_output(out: Path, data: str) -> None:
    """Refuse, before any work, a file that would destroy something or that can't be written.

    Raises:
        ConfigError: If `out` is the input, a folder, or not a CSV file by its name.
    """
    if out.suffix.lower() != ".csv":
        raise ConfigError(
            "Predictions are written as CSV.",
            received=f"--out {out}",
            remedy=f"--out {out.with_suffix('.csv')}",
        )
    if out.is_dir():
        raise ConfigError(
            "--out must be a file.", received=f"{out} is a folder", remedy="add a file name to it"
        )
    refuse_input(out, data)
