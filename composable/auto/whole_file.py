"""The file of which a sample is held: whether its rows can be learned from, and what that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from composable.auto.large_table import copies_folder
from composable.auto.options import FitOptions
from composable.auto.sample_weight import balanced, weights_of
from composable.core.errors import DataError
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.parse import parse_numbers
from composable.data.profile import text_hashes
from composable.data.schema import Column, Notice, Schema
from composable.data.split import Split
from composable.data.table import Table
from composable.engine.rows import Rows
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem
from composable.problem.target_columns import with_known_targets
from composable.problem.targets import encode_targets, target_missing
from composable.training.table_file import SampledFile, TableFile, open_feed

_AT_ONCE, _SHOWN = 65_536, 5  # rows
Notify = Callable[[Notice], None]


def check_whole_file(
    table: Table, schema: Schema, problem: Problem, options: FitOptions, notify: Notify
) -> None:
    """Look at the targets and the weights of all rows of a file of which a table is a sample.

    Raises:
        DataError: If a target is missing or no number, or a weight isn't one; names the row.
    """
    if table.sample is None:
        return
    missing, unknown = _Found(), _Found()
    names = [*options.target, *([options.weight] if options.weight else [])]
    for start, part in _parts(table, names):
        lacking = target_missing(part.frame, schema, options.target)
        missing.add(start, np.flatnonzero(lacking.all(axis=1)))
        known = with_known_targets(part, schema, problem)
        unread = target_missing(known.frame, schema, options.target) & ~lacking
        unknown.add(start, np.flatnonzero(unread.any(axis=1)))
        if options.weight is not None:
            _check_weights(part, options.weight)
    if missing.count and not options.drop_missing_target:
        raise DataError(
            "Every row needs a value in a target.",
            received=f"{table.origin}: {missing.text} have none in {', '.join(map(repr, options.target))}",
            remedy="--drop-missing-target leaves those rows out",
        )
    if missing.count:
        notify(Notice(f"In the whole file {missing.text} have no target; they are left out.", "warning"))
    if unknown.count:
        notify(
            Notice(
                f"{unknown.text} are of classes that the sample doesn't hold; they are left out.",
                "warning",
                remedy="--sample-rows with a larger number holds more of them",
            )
        )


def sampled_file(
    table: Table, schema: Schema, problem: Problem, options: FitOptions, encoding: Encoding, split: Split
) -> SampledFile | None:
    """What it takes to learn from the file that the rows of a table are a sample of; None if it is all."""
    if table.sample is None:
        return None
    weights, classes = weights_of(table, options.weight, None), ()
    if options.class_weight == "balanced":
        weights = balanced(weights, table, schema, problem)
        classes = tuple(
            _class_weights(y[:, 0], len(head.labels)) if kind_of(head).exclusive else ()
            for head, y in zip(problem.heads, encode_targets(table, schema, problem), strict=True)
        )
    file = TableFile(
        table.origin,
        str(copies_folder()),
        schema,
        encoding,
        table.format,
        options.weight,
        classes,
        1.0 if weights is None else float(weights.mean()),
    )
    copies = text_hashes(table.frame, schema.feature_columns) if split.duplicates else None
    return SampledFile(file, table.sample.rows, copies)


class _Found:
    """Rows of one kind, in the order in which they are found."""

    def __init__(self) -> None:
        self.count, self.first = 0, list[int]()

    def add(self, start: int, rows: np.ndarray) -> None:
        """Those of a part of the file that begins at row `start`."""
        self.count += len(rows)
        self.first += [start + int(row) + 1 for row in rows[: _SHOWN - len(self.first)]]

    @property
    def text(self) -> str:
        """How many there are, and the first of them."""
        return f"{self.count:,} rows (first rows {', '.join(map(str, self.first))})"


def _parts(table: Table, names: list[str]) -> Iterator[tuple[int, Table]]:
    """Some columns of the whole file, part after part."""
    feed = open_feed(Path(table.origin), lambda _: Rows({}, ()), copies_folder(), table.format)
    for start in range(0, feed.total, _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, feed.total))
        frame = feed.frame(rows, names).set_axis(pd.RangeIndex(start, start + len(rows)), axis="index")
        yield start, Table(frame, table.origin, "", table.format)


def _check_weights(part: Table, name: str) -> None:
    column = Column(name, "number", decimal=part.format.decimal if part.format else ".")
    weights = parse_numbers(column_of(part.frame, name), column, origin=part.origin, strict=True)
    wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(wrong):
        raise DataError(
            "Sample weights must be finite and not negative.",
            received=f"{part.origin}, {name!r}, row {part.frame.index[wrong[0]] + 1}: {weights[wrong[0]]}",
        )


def _class_weights(codes: np.ndarray, classes: int) -> tuple[float, ...]:
    """By which every class counts alike: rows / (classes · rows of the class)."""
    counts = np.bincount(codes[~np.isnan(codes)].astype(int), minlength=classes)
    return tuple(float(w) for w in counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1)))
