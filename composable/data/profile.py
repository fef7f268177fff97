"""A table in short: what it looks like, for `profile.json`, and a sketch by which its rows are known again.

The sketch is a small sample of hashes that later rows can be held against. Of all hashes the smallest are
kept (Bar-Yossef et al. 2002, "Counting distinct elements in a data stream"): the share of other rows that are
among them can be estimated, and no row can be read from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from composable.data.frames import cell_hashes, column_of
from composable.data.images.column import contents
from composable.data.kinds import kind_reading
from composable.data.kinds.category import describe_texts
from composable.data.kinds.kind import Cells
from composable.data.names import cut
from composable.data.schema import Column, Schema
from composable.data.table import Table

DETAILED_COLUMNS = 2_000
_KEPT = 2000  # hashes of a sketch


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
        "name": column.name, "kind": column.kind, "role": column.role, "reason": cut(column.reason),
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


@dataclass(frozen=True)
class RowSketch:
    """A sample of row hashes.

    Attributes:
        columns: Of the rows, in the order in which they were hashed.
        hashes: The smallest, ascending.
        most: The largest hash that would have been kept.
    """

    columns: tuple[str, ...]
    hashes: tuple[int, ...]
    most: int


def sketch_of(frame: pd.DataFrame, columns: Sequence[str]) -> RowSketch:
    """The sketch of these rows by these columns."""
    hashes = np.unique(text_hashes(frame, columns))
    most = int(hashes[_KEPT - 1]) if len(hashes) > _KEPT else int(np.iinfo("uint64").max)
    return RowSketch(tuple(columns), tuple(int(one) for one in hashes[:_KEPT]), most)


def share_known(sketch: RowSketch, frame: pd.DataFrame) -> float:
    """The share of rows that are among those of the sketch; 0 where a column of theirs is missing."""
    if not len(frame) or not set(sketch.columns) <= set(frame.columns):
        return 0.0
    hashes = text_hashes(frame, sketch.columns)
    comparable = hashes <= np.uint64(sketch.most)
    if not comparable.any():
        return 0.0
    return float(np.isin(hashes[comparable], np.array(sketch.hashes, "uint64")).mean())


def text_hashes(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """A 64-bit hash per row, of its cells as texts: the same in every file and process."""
    texts = pd.DataFrame({name: column_of(frame, name).astype("str") for name in columns})
    hashed: Any = pd.util.hash_pandas_object(texts, index=False)  # type: ignore[attr-defined]
    return hashed.to_numpy("uint64")
