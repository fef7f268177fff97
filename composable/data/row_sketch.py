"""Which rows a model has learned from, as a small sample of hashes that later rows can be held against.

Of all hashes the smallest are kept (Bar-Yossef et al. 2002, "Counting distinct elements in a data stream"):
the share of other rows that are among them can be estimated, and no row can be read from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from composable.data.frames import column_of

_KEPT = 2000  # hashes


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
