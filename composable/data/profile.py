"""What a table looks like: the content of `profile.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from composable.data.frames import cell_hashes, column_of
from composable.data.images.column import contents
from composable.data.kinds import kind_reading
from composable.data.kinds.category import describe_texts
from composable.data.kinds.kind import Cells
from composable.data.names import SHOWN
from composable.data.schema import Column, Schema
from composable.data.table import Table

DETAILED_COLUMNS = 2_000


def profile(table: Table, schema: Schema) -> dict[str, Any]:
    """Sizes, duplicates and each column's values, as `docs/run-folder.md` describes.

    Texts are cut at 80 characters. The first 2,000 columns are looked at in detail; each later one has
    a warning that it wasn't.

    Args:
        table: The table.
        schema: Its schema, one entry per column.
    """
    frame = table.frame
    columns = [
        _detailed(table, column) if i < DETAILED_COLUMNS else _outline(column)
        for i, column in enumerate(schema.columns)
    ]
    return {
        "rows": len(frame),
        "duplicates": int(_row_hashes(contents(frame, table.sources)).duplicated().sum()),
        "memory_mb": round(float(frame.memory_usage(deep=True).sum()) / 1e6, 3),
        "columns": columns,
    }


def _row_hashes(frame: pd.DataFrame) -> pd.Series:
    """One 64-bit hash per row: equal rows have equal hashes, and a chance equality is out of reach."""
    hashes = np.zeros(len(frame), dtype=np.uint64)
    for name in frame.columns:
        hashes = hashes * np.uint64(1_000_003) + cell_hashes(column_of(frame, name))
    return pd.Series(hashes)


def _outline(column: Column) -> dict[str, Any]:
    return {
        "name": column.name, "kind": column.kind, "role": column.role, "reason": _cut(column.reason),
        "missing": None, "distinct": None, "examples": [], "top": [],
        "minimum": None, "maximum": None, "mean": None, "median": None, "histogram": None,
        "warnings": [f"not looked at: only the first {DETAILED_COLUMNS:,} columns are detailed"],
    }  # fmt: skip


def _detailed(table: Table, column: Column) -> dict[str, Any]:
    kind, rows = kind_reading(column), len(table.frame)
    describe = kind.describe if kind else describe_texts
    found = describe(Cells(column, table.frame, table.sources.get(column.name)))
    warnings = found.get("warnings", [])
    if rows and kind and found["missing"] > 0.5 * rows:
        warnings = [f"{found['missing'] / rows:.0%} of the values are missing", *warnings]
    return _outline(column) | found | {"warnings": warnings}


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
