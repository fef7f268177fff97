"""A table file larger than memory: of its rows some are held as a sample, and all are fed to a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from composable.data.encoding import Encoding, encode
from composable.data.frames import column_of
from composable.data.parse import parse_numbers
from composable.data.profile import text_hashes
from composable.data.schema import Column, Schema, TextFormat
from composable.data.split import Fold
from composable.data.table import Table
from composable.engine.feed.arrow import ArrowFeed, Encode, csv_feed
from composable.engine.feed.parquet import ParquetFeed, parquet_feed
from composable.engine.rows import Rows
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Problem
from composable.problem.target_columns import with_known_targets
from composable.problem.targets import encode_targets

TableFeed = ArrowFeed | ParquetFeed


@dataclass(frozen=True)
class TableFile:
    """How the rows of a file become what a network learns.

    Attributes:
        path: The file.
        cache: The folder of the copies of files that can't be read in any order.
        schema: Of its columns.
        encoding: From raw rows to inputs.
        form: How a text file is written; None for Parquet.
        weight: The column that says how much each row counts; None where there is none.
        class_weights: For each head how much a row of each class counts; empty where classes don't count.
        weight_scale: What weights are divided by.
    """

    path: str
    cache: str
    schema: Schema
    encoding: Encoding
    form: TextFormat | None = None
    weight: str | None = None
    class_weights: tuple[tuple[float, ...], ...] = ()
    weight_scale: float = 1.0


@dataclass(frozen=True, eq=False)
class SampledFile:
    """A file, and which of its rows are held.

    Attributes:
        file: The file.
        rows: The numbers of the held rows in the file, ascending from 0.
        hashes: A hash of the features of each held row, where rows of equal features must not lie on both
            sides of a split; None where they may.
    """

    file: TableFile
    rows: np.ndarray
    hashes: np.ndarray | None = None

    def feed(self, problem: Problem, fold: Fold, scaling: Sequence[PostProcessing]) -> TableFeed:
        """All rows of the file but those that are held out or tested by in a fold of the held ones.

        Args:
            problem: Defines the targets.
            fold: Of the held rows.
            scaling: How the targets of each head are scaled.

        Raises:
            DataError: If the file can't be read.
        """
        left_out = np.sort(np.concatenate([fold.held_out, fold.test]))
        copies = None if self.hashes is None else np.unique(self.hashes[left_out])
        feed = open_feed(
            Path(self.file.path),
            partial(_learned, file=self.file, problem=problem, scaling=scaling, copies=copies),
            Path(self.file.cache),
            self.file.form,
        )
        return replace(feed, without=self.rows[left_out])


def open_feed(path: Path, encode: Encode, cache: Path, form: TextFormat | None) -> TableFeed:
    """The feed of a text file, whose format is known, or of a Parquet file, which has none."""
    if form is None:
        return parquet_feed((path,), encode, cache=cache)
    return csv_feed(path, encode, cache=cache, form=form)


def _learned(
    frame: pd.DataFrame,
    *,
    file: TableFile,
    problem: Problem,
    scaling: Sequence[PostProcessing],
    copies: np.ndarray | None,
) -> Rows:
    """What a network learns from raw rows; nothing from those whose features equal one of `copies`."""
    table = with_known_targets(Table(frame, file.path, "", file.form), file.schema, problem)
    targets = encode_targets(table, file.schema, problem)
    if copies is not None:
        known = np.isin(text_hashes(frame, file.schema.feature_columns), copies)
        targets = tuple(np.where(known[:, None], np.nan, y) for y in targets)
    heads = zip(problem.heads, scaling, targets, strict=True)
    return Rows(
        encode(frame, file.schema, file.encoding, origin=file.path),
        tuple(kind_of(head).training_targets(step, y) for head, step, y in heads),
        _weights(frame, file, targets),
    )


def _weights(frame: pd.DataFrame, file: TableFile, targets: Sequence[np.ndarray]) -> np.ndarray | None:
    if file.weight is None and not file.class_weights:
        return None
    weights = np.full(len(frame), 1.0 / file.weight_scale)
    if file.weight is not None:
        column = Column(file.weight, "number", decimal=file.form.decimal if file.form else ".")
        values = column_of(frame, file.weight)
        weights *= parse_numbers(values, column, origin=file.path, strict=True)
    for each, y in zip(file.class_weights, targets, strict=False):
        if each:
            known = ~np.isnan(y[:, 0])
            weights[known] *= np.asarray(each)[y[known, 0].astype(int)]
    return weights.astype("float32")
