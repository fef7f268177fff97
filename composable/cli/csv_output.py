"""CSV that is safe to open in a spreadsheet.

A spreadsheet runs a cell that starts with one of `= + - @`, a tab or a line break as a formula, and a class
or a column may be called anything (OWASP, "CSV Injection"). Such texts get a leading apostrophe. What is a
number stays as it is, so that -1.5 is still one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from composable.cli.overwriting import refuse_input
from composable.core.errors import ConfigError

DANGEROUS = re.compile(r"[=+\-@\t\r\n]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


def csv_text(frame: pd.DataFrame, *, raw: bool) -> str:
    """The table as CSV with a header and without an index; `raw` leaves every text as it is."""
    if not raw:
        columns = {position: _safe_column(frame.iloc[:, position]) for position in range(frame.shape[1])}
        names = [safe_cell(name) for name in frame.columns]
        frame = pd.DataFrame(columns, index=frame.index).set_axis(names, axis="columns")
    return frame.to_csv(index=False, lineterminator="\n")


def safe_cell(cell: object) -> object:
    """The cell, with an apostrophe in front if a spreadsheet would run it."""
    if isinstance(cell, str) and DANGEROUS.match(cell) and not NUMBER.match(cell):
        return f"'{cell}"
    return cell


def _safe_column(column: pd.Series) -> pd.Series:
    return column if pd.api.types.is_numeric_dtype(column) else column.astype(object).map(safe_cell)


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
