"""Numbers: float32, NaN where there is none; everything else (scaling, imputation) happens in the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from composable.data.kinds.kind import Cells, InputKind, ModelInput, as_they_are, gaps, known_columns
from composable.data.names import cut, shown
from composable.data.notation import Writing, numbers_from
from composable.data.number_columns import mixed_numbers, number_column
from composable.data.parse import parse_numbers
from composable.data.schema import Column, Notice

NUMBERS = "numbers"
LARGEST = 3e38  # just within the range of float32
_FINENESS = (
    1e4  # values so much larger than their spread leave float32 few of its 24 bits for the differences
)
_BINS = 20
_EXAMPLES = 5


@dataclass(frozen=True)
class NumberBlock:
    """A column of numbers: `float32(float64(value) - offset)`.

    Attributes:
        column: The column's name.
        offset: 0 but where float32 could not distinguish the column's values (time stamps, long numbers).
        low: The least training value; None where there is none.
        high: The greatest one.
    """

    kind: Literal["number"] = field(default="number", kw_only=True)
    column: str
    offset: float = 0.0
    low: float | None = None
    high: float | None = None

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """One column of `numbers`."""
        return (ModelInput(NUMBERS, (1,), "float32", "amounts"),)

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """Finite float32, or NaN where there is no value."""
        numbers = _parsed(cells)
        return {NUMBERS: np.clip(numbers - self.offset, -LARGEST, LARGEST).astype("float32")[:, None]}

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> pd.Series:
        """Float64."""
        low, high = (-1.0, 1.0) if self.low is None or self.high is None else (self.low, self.high)
        values = random.uniform(low, high, rows)
        values[gaps(rows, random)] = np.nan
        values[-4:] = np.inf, np.nan, high + 10 * (high - low) + 1, 1e300
        missing = missing_numbers(column)[:rows]
        values[: len(missing)] = missing
        return pd.Series(values, dtype="float64")


def _parsed(cells: Cells) -> np.ndarray:
    return parse_numbers(cells.values, cells.column, origin=cells.origin, strict=cells.strict)


def missing_numbers(column: Column) -> tuple[float, ...]:
    """The numbers that mean "no value" in this column, such as -999."""
    markers = pd.Series(column.missing, dtype="str")
    found = numbers_from(markers, Writing(column.decimal, column.thousands, column.affixes))
    return tuple(found[~np.isnan(found)].tolist())


def described(cells: Cells, parsed: np.ndarray) -> dict[str, Any]:
    """The part of a profile that describes a column of these numbers, NaN where there is none."""
    present = ~np.isnan(parsed)
    first = cells.values.loc[present].head(1_000).drop_duplicates().head(_EXAMPLES)
    return summary(parsed[present]) | {"examples": list(map(cut, first)), "missing": int((~present).sum())}


def summary(numbers: np.ndarray) -> dict[str, Any]:
    """Range, middle and histogram of numbers, for a profile."""
    if not numbers.size:
        return {"distinct": 0}
    scale = max(1.0, float(np.abs(numbers).max()) / 1e300)  # so that sums and bin widths stay finite
    counts, edges = np.histogram(numbers / scale, bins=_BINS)
    return {
        "distinct": len(np.unique(numbers)),
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
        "mean": float((numbers / scale / numbers.size).sum() * scale),
        "median": float(np.median(numbers / scale) * scale),
        "histogram": {"edges": (edges * scale).tolist(), "counts": counts.tolist()},
    }


def _fit(cells: Cells) -> NumberBlock:
    numbers = _parsed(cells)
    numbers = numbers[~np.isnan(numbers)]
    if not numbers.size:
        return NumberBlock(cells.column.name)
    low, middle, high = (float(part) for part in np.quantile(numbers, (0.25, 0.5, 0.75)))
    spread = high - low or float(np.ptp(numbers))
    offset = middle if spread and abs(middle) > _FINENESS * spread else 0.0
    return NumberBlock(cells.column.name, offset, float(numbers.min()), float(numbers.max()))


def _describe(cells: Cells) -> dict[str, Any]:
    return described(cells, _parsed(cells))


def _query_notices(block: NumberBlock, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """How many numbers lie outside the training range."""
    if block.low is None or block.high is None:
        return
    values = inputs[NUMBERS]
    edges = np.float32(block.low - block.offset), np.float32(block.high - block.offset)
    outside = int(((values < edges[0]) | (values > edges[1])).sum())
    if outside:
        share = f"{outside} of {len(values)} values of {shown(block.column)}"
        text = f"{share} lie outside the training range {block.low:g} to {block.high:g}."
        yield Notice(text, "warning", block.column)


NUMBER = InputKind(
    "number",
    ("number",),
    number_column,
    _fit,
    _describe,
    known_columns,
    query_notices=_query_notices,
    tabular=partial(as_they_are, NUMBERS),
    nearly=mixed_numbers,
    parse=_parsed,
    is_ordered=True,
    can_be_target=True,
)
