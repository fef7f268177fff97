"""Tables too large for the memory: a sample of the rows of their file is held, the rest checked and fed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from composable.auto.options import FitOptions
from composable.auto.sample_weight import balanced, weights_of
from composable.core.errors import ConfigError, DataError
from composable.core.machine import memory_gb, prune, user_cache
from composable.core.seeds import derive
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.images.column import with_images
from composable.data.parse import parse_numbers
from composable.data.profile import text_hashes
from composable.data.read import is_parquet
from composable.data.schema import Column, Notice, Schema
from composable.data.split import Split
from composable.data.table import Sample, Table
from composable.data.text_encoding import GZIP
from composable.data.text_file import header_notices, text_format
from composable.engine.rows import Rows
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem
from composable.problem.target_columns import with_known_targets
from composable.problem.targets import encode_targets, target_missing
from composable.training.table_file import SampledFile, TableFile, open_feed

SAMPLE_ROWS = 100_000  # a search over more of them is slower and hardly chooses better
_SHARE = 0.5  # of the memory, for the rows of a table as they are read, encoded and learned from
_TEXT, _UNPACKED, _CELL = 4, 5, 16  # times the size of a text file, times that of an archive; bytes of a cell
_COPIES = 50 * 10**9  # bytes of the copies of all files
_AT_ONCE, _SHOWN = 65_536, 5  # rows
Notify = Callable[[Notice], None]


def read_sample(data: Any, options: FitOptions) -> Table | None:
    """A uniform sample of the rows of a file that is too large to be held; None where all are to be held.

    Args:
        data: What the user brings.
        options: `sample_rows` decides; where it isn't set, the size of the file and the machine's memory.

    Raises:
        DataError: If the file can't be read; names the line.
        ConfigError: If `sample_rows` is set for what isn't a file, or its rows can't be divided as wanted.
    """
    path, wanted = table_path(data), options.sample_rows
    if path is None and wanted is not None and not _is_missing(data):
        raise ConfigError(
            "Rows are sampled from a CSV or Parquet file.",
            received=f"--sample-rows {wanted} for {data if isinstance(data, str) else type(data).__name__}",
            remedy="leave it out, or name such a file",
        )
    if path is None or (wanted is None and not is_too_large(path)):
        return None
    form = None
    if not is_parquet(path):
        form = text_format(
            path, encoding=options.encoding, delimiter=options.delimiter, decimal=options.decimal
        )
    feed, wanted = open_feed(path, _nothing, copies_folder(), form), wanted or SAMPLE_ROWS
    if feed.total <= wanted:
        return None
    if options.split.partition(":")[0] in ("group", "time", "column"):
        raise ConfigError(
            "Of a file of which a sample is held rows are divided at random.",
            received=f"--split {options.split}, of {path} {wanted:,} of {feed.total:,} rows",
            remedy=f"leave out --split, or hold all rows: --sample-rows {feed.total}",
        )
    random = np.random.default_rng(derive(options.seed, "sample"))
    rows = np.sort(random.choice(feed.total, wanted, replace=False, shuffle=False))
    table = Table(
        feed.frame(rows), str(path), _fingerprint(path, wanted), form, sample=Sample(rows, feed.total)
    )
    if with_images(table, path.parent).sources:
        raise ConfigError(
            "Rows that name images are all held.",
            received=f"{path} names images in {feed.total:,} rows, of which {wanted:,} would be sampled",
            remedy=f"--sample-rows {feed.total}",
        )
    layout = () if form is None else (*form.notices, *header_notices(list(map(str, table.frame))))
    return replace(table, notices=(*layout, _notice(path, feed.total, wanted)))


def table_path(data: Any) -> Path | None:
    """The file of a table, if the data are one."""
    if not isinstance(data, (str, os.PathLike)):
        return None
    path = Path(data).expanduser()
    try:
        return path if path.is_file() and path.suffix.lower() != ".npz" else None
    except (OSError, ValueError):
        return None


def _is_missing(data: Any) -> bool:
    """Whether a path leads nowhere, of which whoever reads it says what is wrong."""
    return isinstance(data, (str, os.PathLike)) and not Path(data).expanduser().exists()


def is_too_large(path: Path) -> bool:
    """Whether the rows of a file would take more than half of the machine's memory."""
    memory = memory_gb()
    return memory is not None and _bytes_held(path) > _SHARE * 1e9 * memory


def _bytes_held(path: Path) -> float:
    size = path.stat().st_size
    if is_parquet(path):
        try:
            found = pq.read_metadata(path)
        except Exception:  # noqa: BLE001 (whoever reads the file says what is wrong with it)
            return size
        return max(2 * size, found.num_rows * found.num_columns * _CELL)
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
    return size * _TEXT * (_UNPACKED if packed else 1)


def copies_folder() -> Path:
    """Where the copies of files lie that can't be read in any order; the oldest of too many are deleted."""
    folder = user_cache("tables") or Path(tempfile.gettempdir()) / "composable-tables"
    folder.mkdir(parents=True, exist_ok=True)
    prune(folder, _COPIES)
    return folder


def _fingerprint(path: Path, rows: int) -> str:
    with path.open("rb") as stream:
        return f"{hashlib.file_digest(stream, 'sha256').hexdigest()}, {rows} rows"


def _notice(path: Path, total: int, held: int) -> Notice:
    return Notice(
        f"{path.name} has {total:,} rows, of which a uniform sample of {held:,} is held: candidates are "
        "chosen by it. The best network then learns from all rows, and is deployed if it predicts rows kept "
        "from it better.",
        remedy=f"--sample-rows {total} holds all rows, another number more or fewer",
    )


def _nothing(frame: pd.DataFrame) -> Rows:
    """Nothing to learn: rows are only read."""
    return Rows({"row": np.zeros(len(frame))}, ())


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
