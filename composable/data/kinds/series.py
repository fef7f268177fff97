"""Series: numbers step by step, in columns with running numbers or in arrays, one series in each row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.images.column import cells_of
from composable.data.kinds.kind import Cells, InputKind, ModelInput, Tabular, gaps, known_columns
from composable.data.kinds.number import summary
from composable.data.names import shown
from composable.data.parse import parse_numbers
from composable.data.recognize import Finding, RawColumn
from composable.data.schema import Column, Notice
from composable.data.series import LONGEST, SERIES, SeriesArrays, finite, lengths_of, series_of
from composable.data.table import Table

_AXES = 3  # of an array of series: rows, steps, channels
_BRIGHTEST = 255  # level of a gray image
_NARROW = 8  # channels; a gray image is wider
_FEWEST = 16  # columns with running numbers; fewer are as well taken one by one
_SMOOTH = 0.5  # of the variance: two neighboring steps of a series differ less than any two columns
_EXAMPLES, _SHOWN = 3, 6  # series, steps
_TABULAR = 200  # steps that models which are no networks see
_LOOKED_AT = 2_000  # rows
_UNLIKE = 1_000  # times longer than the shortest: most of the short one is padding


@dataclass(frozen=True)
class SeriesBlock:
    """A column of series: each cut or padded to one length, NaN where a number is missing.

    Attributes:
        column: The column's name.
        length: Steps.
        channels: Numbers per step.
        low: The least training value.
        high: The greatest one.
        members: The columns of the table that hold the steps; empty where they lie in an array.
    """

    kind: Literal["series"] = field(default="series", kw_only=True)
    column: str
    length: int
    channels: int
    low: float
    high: float
    members: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """Channels of `series`."""
        return (ModelInput(SERIES, (self.length, self.channels), "float32", "amounts"),)

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """Float32, NaN where there is no number.

        Raises:
            DataError: If the series have other channels than those that were learned from.
        """
        values = values_of(cells)
        if values.shape[2] != self.channels:
            raise DataError(
                f"Every series of {shown(self.column)} must have {self.channels} channels.",
                received=f"{cells.origin or 'the data'}: {values.shape[2]}",
            )
        found = np.full((len(values), self.length, self.channels), np.nan, "float32")
        shared = min(self.length, values.shape[1])
        found[:, :shared] = values[:, :shared]
        return {SERIES: found}

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> np.ndarray:
        """Series from smooth to noisy and of any length, with gaps; a missing one and two far out."""
        shape = (rows, self.length, self.channels)
        waves = np.sin(random.uniform(0.05, 1.0, (rows, 1, 1)) * np.arange(self.length)[:, None])
        noise = random.normal(0, 1, shape) * np.linspace(0, 1, rows)[:, None, None]
        middle, size = (self.low + self.high) / 2, (self.high - self.low) / 4 or 1.0
        values = middle + size * (waves + noise)
        values[random.random(shape) < 0.05] = np.nan
        for row in np.flatnonzero(gaps(rows, random)):
            values[row, random.integers(1, self.length) :] = np.nan
        values[-3:] = np.array([np.nan, self.high + 40 * size, 1e300])[:, None, None]
        return values


def values_of(cells: Cells) -> np.ndarray:
    """The series as they are, (rows, steps, channels) of float32."""
    if cells.source is not None:
        return cast("SeriesArrays", cells.source).read(cells_of(cells.values))
    single = [replace(cells.column, name=name, members=()) for name in cells.column.members]
    steps = [
        parse_numbers(cast("pd.Series", cells.frame[one.name]), one, origin=cells.origin, strict=cells.strict)
        for one in single
    ]
    return finite(np.stack(steps, axis=1))[..., None]


def _recognize(column: RawColumn) -> Finding | None:
    if not isinstance(column.source, SeriesArrays):
        return None
    text = f"{shown(column.name)} is read as series: numbers step by step, in channels along the last axis."
    remedy = "for gray images give levels as uint8, (rows, height, width)"
    found = Column(column.name, "series", "feature", "holds series of numbers")
    return Finding(found, (Notice(text, column=column.name, remedy=remedy),))


def _arrays(arrays: Mapping[str, np.ndarray], origin: str) -> SeriesArrays | None:
    """Arrays of three axes, unless they hold the levels of gray images."""
    if all(one.ndim == _AXES and one.dtype.kind in "fiu" and not _is_gray(one) for one in arrays.values()):
        return SeriesArrays({name: series_of(one, f"{origin}, {name}") for name, one in arrays.items()})
    return None


def _is_gray(values: np.ndarray) -> bool:
    """Whether numbers may be levels: whole ones from 0 to 255, or shares; series have few channels."""
    if values.dtype == np.uint8:
        return True
    if not values.size or values.shape[-1] < _NARROW or not values.min() >= 0:  # NaN too
        return False
    return bool(values.max() <= (_BRIGHTEST if (values == np.round(values)).all() else 1))


def _groups(table: Table, names: Sequence[str]) -> Iterator[Finding]:
    """Columns of numbers with a common name and running numbers, whose neighbors are alike."""
    decimal = table.format.decimal if table.format else "."
    for stem, members in _running(names).items():
        values = _numbers(table.frame, members, decimal)
        if values is None or not _is_smooth(values):
            continue
        name = stem.rstrip("_-. ") or stem or "series"
        if name in table.frame.columns:
            name = f"{name}_series"
        reason = f"numbers step by step in {len(members)} columns"
        column = Column(name, "series", "feature", reason, decimal=decimal, members=tuple(members))
        text = (
            f"The {len(members)} columns {shown(members[0])} to {shown(members[-1])} are read as one series: "
            "their numbers run on, and neighbors are alike."
        )
        remedy = (
            f"let 'composable inspect' write a schema, give {shown(name)} the kind 'number' in it, and fit "
            "with --schema to take them one by one"
        )
        yield Finding(column, (Notice(text, column=name, remedy=remedy),))


def _running(names: Sequence[str]) -> dict[str, list[str]]:
    """Names that differ in a last number alone, in the order of these numbers, none of which is left out."""
    numbered: dict[str, dict[int, str]] = {}
    for name in names:
        if found := re.fullmatch(r"(.*?)(\d{1,9})", name):
            numbered.setdefault(found[1], {})[int(found[2])] = name
    return {
        stem: [by_number[number] for number in sorted(by_number)]
        for stem, by_number in numbered.items()
        if len(by_number) >= _FEWEST and max(by_number) - min(by_number) == len(by_number) - 1
    }


def _numbers(frame: pd.DataFrame, members: Sequence[str], decimal: str) -> np.ndarray | None:
    """Some rows of these columns; None where they hold anything but numbers."""
    some = frame[list(members)].iloc[:_LOOKED_AT]
    found = []
    for name in members:
        column = Column(name, "number", decimal=decimal)
        try:
            found.append(parse_numbers(cast("pd.Series", some[name]), column, origin="", strict=True))
        except DataError:
            return None
    return np.stack(found, axis=1)


def _is_smooth(values: np.ndarray) -> bool:
    """Whether neighboring steps differ less than any two, as they are and each column on its own scale.

    That is von Neumann's ratio, halved: 1 for numbers in any order. Von Neumann 1941, "Distribution of the
    ratio of the mean square successive difference to the variance" (Annals of Mathematical Statistics 12).
    """
    known = ~np.isnan(values)
    if not known.any(axis=0).all() or len(values) < 2:
        return False
    scaled = values - np.nanmean(values, axis=0)
    deviation = np.nanstd(values, axis=0)
    scaled = scaled / np.where(deviation > 0, deviation, 1.0)
    return all(_ratio(each) < _SMOOTH for each in (values, scaled))


def _ratio(values: np.ndarray) -> float:
    counts = (~np.isnan(values)).sum(axis=1)
    rows = values[counts > 1]
    if not len(rows):
        return np.inf
    variance = float(np.nanmean((rows - np.nanmean(rows, axis=1, keepdims=True)) ** 2))
    steps = np.diff(rows, axis=1)
    if variance <= 0 or np.isnan(steps).all():
        return np.inf
    return float(np.nanmean(steps**2)) / (2 * variance)


def _fit(cells: Cells) -> SeriesBlock:
    """The longest series' length, and the range of all numbers.

    Raises:
        DataError: If there is no number.
    """
    values = values_of(cells)
    known = values[~np.isnan(values)]
    if not known.size:
        raise DataError(
            f"The series of {shown(cells.column.name)} must hold numbers.",
            received=f"{cells.origin or 'the data'}: all of them are missing",
            remedy=f"--drop {shown(cells.column.name)}",
        )
    length = max(2, min(LONGEST, int(lengths_of(values).max())))
    low, high = float(known.min()), float(known.max())
    return SeriesBlock(cells.column.name, length, values.shape[2], low, high, cells.column.members)


def _describe(cells: Cells) -> dict[str, Any]:
    values = values_of(cells)
    lengths = lengths_of(values)
    numbers = values[~np.isnan(values)].astype("float64")
    shown_steps = [", ".join(f"{number:.3g}" for number in row[:_SHOWN, 0]) for row in values[:_EXAMPLES]]
    return summary(numbers) | {
        "distinct": len(np.unique(values.reshape(len(values), -1), axis=0)) if len(values) else 0,
        "examples": [f"{steps}, ..." for steps in shown_steps],
        "missing": int((lengths == 0).sum()),
        "steps": [int(lengths.min(initial=values.shape[1])), int(lengths.max(initial=0))],
        "channels": int(values.shape[2]),
    }


def _training_notices(block: SeriesBlock, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """What is odd about these series: without numbers, constant, of very different lengths, cut."""
    values, name = inputs[SERIES], shown(block.column)
    lengths = lengths_of(values)
    if empty := int((lengths == 0).sum()):
        yield Notice(f"{empty} of {len(values)} series of {name} hold no number.", "warning", block.column)
    there = values[lengths > 0]
    flat = (there == there[:, :1]) | np.isnan(there)
    if constant := int(flat.all(axis=(1, 2)).sum()):
        yield Notice(f"{constant} of {len(values)} series of {name} never change.", "warning", block.column)
    shortest = int(lengths[lengths > 0].min(initial=block.length))
    if block.length >= _UNLIKE * shortest:
        yield Notice(
            f"The series of {name} have from {shortest} to {block.length} steps: the short ones are nearly "
            "all padding.",
            "warning",
            block.column,
            "cut the long ones into windows as long as the short ones, one in each row",
        )
    if block.length == LONGEST:
        yield Notice(
            f"The first {LONGEST} steps of the series of {name} are read.",
            column=block.column,
            remedy="average neighboring steps if what matters comes later",
        )


def _query_notices(block: SeriesBlock, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """How many series lie outside the training range, or hold no number."""
    values, name = inputs[SERIES], shown(block.column)
    if empty := int((lengths_of(values) == 0).sum()):
        yield Notice(f"{empty} of {len(values)} series of {name} hold no number.", "warning", block.column)
    edges = np.float32(block.low), np.float32(block.high)
    outside = int(((values < edges[0]) | (values > edges[1])).any(axis=(1, 2)).sum())
    if outside:
        span = f"{block.low:g} to {block.high:g}"
        text = f"{outside} of {len(values)} series of {name} leave the training range {span}."
        yield Notice(text, "warning", block.column)


def _tabular(inputs: Mapping[str, np.ndarray], query: Mapping[str, np.ndarray]) -> Tabular | None:
    """Each step as a number of its own; of long series so many, evenly spaced."""
    if SERIES not in inputs:
        return None
    length = inputs[SERIES].shape[1]
    steps = np.unique(np.linspace(0, length - 1, min(length, _TABULAR)).astype(int))
    learned, others = (one[SERIES][:, steps].reshape(len(one[SERIES]), -1) for one in (inputs, query))
    return Tabular(learned, others)


SERIES_KIND = InputKind(
    "series",
    ("series",),
    _recognize,
    _fit,
    _describe,
    known_columns,
    tabular=_tabular,
    training_notices=_training_notices,
    query_notices=_query_notices,
    groups=_groups,
    arrays=_arrays,
)
