"""Columns whose cells name image files: found by the names' endings and by a file that is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from composable.data.frames import column_of
from composable.data.images.conversion import SUFFIXES
from composable.data.images.files import look_at
from composable.data.table import Table

_LOOKED_AT = 1000  # cells of a column
_ENDING = 0.9  # of these must end as images do


def with_images(table: Table, folder: Path) -> Table:
    """The table, with the images that its cells name.

    Args:
        table: As it was read.
        folder: Where relative paths begin.
    """
    columns = [
        str(name) for name in table.frame.columns if _names_images(column_of(table.frame, str(name)), folder)
    ]
    images = {name: look_at(folder, _named(column_of(table.frame, name))) for name in columns}
    return replace(table, images={**table.images, **images}) if images else table


def cells_of(values: pd.Series) -> list[str]:
    """The names in a column, "" where there is none."""
    return [str(value).strip() for value in values.astype(object).where(values.notna(), "")]


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
