"""Columns whose cells name image files: found by the names' endings and by a file that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.frames import column_of
from composable.data.images.pixels import SUFFIXES
from composable.data.images.source import MOST_BROKEN, look_at
from composable.data.names import shown
from composable.data.schema import Notice, Schema
from composable.data.table import Source, Table

_LOOKED_AT = 1000  # cells of a column
_ENDING = 0.9  # of these must end as images do
_TOLD = 5  # rows


def with_images(table: Table, folder: Path, *, beyond: bool = False) -> Table:
    """The table, with the images that its cells name.

    Args:
        table: As it was read.
        folder: Where relative paths begin.
        beyond: Whether files may be named that aren't below the folder: not by a file that may come from
            anywhere, only by a program.

    Raises:
        DataError: If others are named all the same.
    """
    columns = [
        str(name) for name in table.frame.columns if _names_images(column_of(table.frame, str(name)), folder)
    ]
    for name in columns if not beyond else ():
        _check_below(cells_of(column_of(table.frame, name)), name, folder, table.origin)
    images = {name: look_at(folder, _named(column_of(table.frame, name))) for name in columns}
    return replace(table, sources={**table.sources, **images}) if images else table


def cells_of(values: pd.Series) -> list[str]:
    """The names in a column, "" where there is none."""
    return [str(value).strip() for value in values.astype(object).where(values.notna(), "")]


def contents(frame: pd.DataFrame, sources: Mapping[str, Source]) -> pd.DataFrame:
    """The frame with the hash of each thing instead of its name, so that equal things are equal."""
    found = {
        name: source.fingerprints(cells_of(column_of(frame, name)))
        for name, source in sources.items()
        if name in frame.columns
    }
    return frame.assign(**found) if found else frame


def wrong_rows(names: Sequence[str], wrong: Mapping[int, str]) -> str:
    """The first rows that name no image, with the names and what is wrong."""
    rows = [f"row {row + 1}, {shown(names[row])} ({why})" for row, why in wrong.items()]
    more = f" and {len(rows) - _TOLD} more" if len(rows) > _TOLD else ""
    return "; ".join(rows[:_TOLD]) + more


def have_images(table: Table, schema: Schema, notify: Callable[[Notice], None]) -> np.ndarray:
    """Which rows name complete images in every column of images; a few others are left out.

    Raises:
        DataError: If it is more than a few.
    """
    kept = np.ones(len(table.frame), bool)
    for column in schema.features:
        if column.kind != "image" or column.name not in table.sources:
            continue
        names = cells_of(column_of(table.frame, column.name))
        missing = table.sources[column.name].missing(names)
        if len(missing) > MOST_BROKEN * len(names):
            raise DataError(
                f"At most {MOST_BROKEN:.0%} of the rows may name no whole image.",
                received=f"{table.origin}, {column.name!r}: {len(missing)} of {len(names)}: "
                + wrong_rows(names, missing),
                remedy="correct the paths, which are relative to the table's folder, or repair the files",
            )
        if missing:
            text = f"{len(missing)} rows name no whole image and are left out: {wrong_rows(names, missing)}."
            notify(Notice(text, "warning", column.name, "correct the paths, or repair the files"))
            kept[list(missing)] = False
    return kept


def _check_below(names: Sequence[str], column: str, folder: Path, origin: str) -> None:
    root = folder.resolve()
    why = {name: _leads_away(name, folder, root) for name in dict.fromkeys(names)}
    wrong = {row: why[name] for row, name in enumerate(names) if why[name]}
    if wrong:
        raise DataError(
            "A table names images below its own folder.",
            received=f"{origin}, {shown(column)}: {wrong_rows(names, wrong)}",
            remedy="write paths relative to the table's folder, and put the table above the images",
        )


def _leads_away(name: str, folder: Path, root: Path) -> str:
    """Why a name is none of a file below the folder; "" where it is one, or none at all."""
    if "://" in name:
        return "an address, no file"
    if Path(name).is_absolute():
        return "an absolute path"
    try:
        below = (folder / name).resolve().is_relative_to(root)
    except (OSError, ValueError, RuntimeError):  # no name of a file: it is named where it isn't found
        return ""
    return "" if below else "it leads out of the table's folder"


def _named(values: pd.Series) -> list[str]:
    return [name for name in dict.fromkeys(cells_of(values)) if name]


def _names_images(values: pd.Series, folder: Path) -> bool:
    if not (isinstance(values.dtype, pd.StringDtype) or values.dtype == object):
        return False
    names = [name for name in cells_of(values.dropna().head(_LOOKED_AT)) if name]
    alike = sum(Path(name).suffix.lower() in SUFFIXES for name in names)
    if not names or alike < _ENDING * len(names):
        return False
    return any(_is_file(folder / name) for name in names)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
