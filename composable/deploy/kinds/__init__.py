"""How each kind of input is read outside the package; what is deployed loops over these.

A few rows in memory are read in the same way, cell by cell: pandas takes longer to look at a column of one
cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from composable.data.encoding import Encoding
from composable.deploy.kinds.image import IMAGE
from composable.deploy.kinds.kind import DeployedKind
from composable.deploy.kinds.numbers import DATE, NUMBER
from composable.deploy.kinds.series import SERIES_DEPLOYED
from composable.deploy.kinds.texts import CATEGORY, TEXT

DEPLOYED: Mapping[str, DeployedKind] = {
    "number": NUMBER,
    "date": DATE,
    "category": CATEGORY,
    "text": TEXT,
    "image": IMAGE,
    "series": SERIES_DEPLOYED,
}
FEW = 16
_PLAIN = "biufM"  # kinds of NumPy's types whose cells are what Python takes them for


def deployed_blocks(encoding: Encoding) -> Iterator[tuple[str, DeployedKind, tuple[Any, ...]]]:
    """Each kind of which there are blocks: its name, how it is deployed, and the blocks."""
    for name, kind in DEPLOYED.items():
        if blocks := tuple(block for block in encoding.blocks if block.kind == name):
            yield name, kind, blocks


def few_rows(data: Any, columns: Sequence[str]) -> Mapping[str, list[Any]] | None:
    """The cells of these columns, where the data are a few rows of plain cells; None for all else.

    Args:
        data: Raw rows, as for `Bundle.predict`.
        columns: The columns to take.
    """
    if isinstance(data, Mapping) and data and all(np.ndim(cell) == 0 for cell in data.values()):
        data = pd.DataFrame([data])
    if not isinstance(data, pd.DataFrame) or not 0 < len(data) <= FEW or not _usual(data.columns):
        return None
    rows = {}
    for name in columns:
        if name not in data.columns:
            return None
        values: Any = data[name]
        cells = values.tolist()
        if not _plain(values.dtype, cells):
            return None
        rows[name] = cells
    return rows


def encode_few(
    rows: Mapping[str, list[Any]], encoding: Encoding, tables: Mapping[str, Any]
) -> dict[str, np.ndarray] | None:
    """The model's inputs, equal to what `composable.data.encoding.encode` gives.

    Args:
        rows: The cells of every column of the encoding, from `few_rows`.
        encoding: The fitted blocks, each of a column of its own, without images.
        tables: The content of `bundle.json`.

    Returns:
        None where a cell can't be read; `encode` then names the cell in its error.
    """
    columns = {column["name"]: column for column in tables["schema"]["columns"]}
    inputs: dict[str, np.ndarray] = {}
    for name, kind, _ in deployed_blocks(encoding):
        blocks = [block for block in tables["encoding"]["blocks"] if block["kind"] == name]
        try:
            inputs |= kind.client(rows, blocks, columns)
        except ValueError:
            return None
    return inputs


def _usual(names: pd.Index) -> bool:
    """Whether no name has to be refused."""
    every = list(names)
    return all(isinstance(name, str) and name.strip() for name in every) and len(
        {name.casefold() for name in every}
    ) == len(every)


def _plain(dtype: Any, cells: list[Any]) -> bool:
    if isinstance(dtype, np.dtype):
        return dtype.kind in _PLAIN or all(cell is None or isinstance(cell, str) for cell in cells)
    return isinstance(dtype, pd.StringDtype)
