"""Tables as chunks from an Arrow file, which is mapped into memory, so that any rows of it are read at once.

A CSV or TSV file is read once from end to end, as `read_table` reads it, into such a copy, in bounded
memory. The caller's encoding makes what a network takes of the rows, piece by piece.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from composable.core.errors import ArtifactError, DataError, SetupError
from composable.data.frames import plain_frame
from composable.data.schema import TextFormat
from composable.data.text_file import blocks, header, text_format, text_rows
from composable.engine.feed.chunk import Chunk, KeptRows, ShuffledBlocks, check_chunk, chunk_of
from composable.engine.rows import Rows

# From raw rows, as `composable.data.read.read_table` gives them, to what a network learns, row by row.
Encode = Callable[[pd.DataFrame], Rows]


def encoded_chunk(
    pieces: list[pa.Table], order: np.ndarray, encode: Encode, *, number: int, origin: str
) -> Chunk:
    """The pieces one after another, encoded, in another order.

    Args:
        pieces: Parts of one table.
        order: Row i of the chunk is row `order[i]` of the pieces.
        encode: The caller's.
        number: Of the chunk.
        origin: The file, for errors.

    Raises:
        DataError: If the encoding gives other than one row per row.
    """
    encoded = encode(raw_frame(pieces, origin))
    chunk = chunk_of(encoded, number, origin=origin)
    if len(chunk) != len(order):
        raise DataError(
            "Encoding must give one row per row.",
            received=f"{origin}: {len(order)} rows became {len(chunk)}",
        )
    mixed = encoded.take(order)  # the encoded arrays are smaller than the raw ones
    return Chunk(mixed.inputs, mixed.targets, mixed.weights, number)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The same columns in types that can be taken, copied and concatenated in pieces.

    Dictionary columns, whose dictionary changes from piece to piece, become their values.
    """
    return pa.schema([(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.DictionaryType):
        return _plain_type(kind.value_type)
    return pa.large_string() if pa.types.is_string_view(kind) else kind


def raw_frame(pieces: list[pa.Table], origin: str) -> pd.DataFrame:
    """The pieces of one table one after another, as `composable.data.read.read_table` gives its rows."""
    # In one piece: NumPy's copies of several may be read-only.
    frame = (
        pa.concat_tables(pieces).combine_chunks().to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True)
    )
    return plain_frame(frame, origin=origin)


_BLOCKS = 64  # of which a chunk is mixed at least
BATCH = 1024  # rows of a record batch, but for the last
_VERSION = 1  # of what is written


def csv_feed(path: Path, encode: Encode, *, cache: Path, form: TextFormat | None = None) -> ArrowFeed:
    """A delimited text file, plain or gzip-compressed.

    Rows can't be found in a text file without reading all of it, as a quoted cell may hold line breaks. So
    the file is copied to `cache` when it is first met, or has changed since (size or time of change).

    Args:
        path: The file.
        encode: From raw rows to what a network learns; every cell is text, empty ones are missing.
        cache: The folder for the copy, of about the size of the unpacked file.
        form: The layout of the file, as `read_table` returned it; None detects it again.

    Raises:
        DataError: If the file can't be a table; names the line.
        SetupError: If the copy can't be written.
    """
    copy = copy_path([path], cache, form and (form.encoding, form.delimiter, form.quote))
    if not copy.exists():
        _copy_csv(path, copy, form or text_format(path))
    return arrow_feed(copy, encode, str(path))


def _copy_csv(path: Path, copy: Path, form: TextFormat) -> None:
    with text_rows(path, form) as rows:
        names = header(rows, str(path))
        found = blocks(rows, len(names))
        first = next(found, None)
        if first is None:
            raise DataError("The table needs rows.", received=f"{path} has a header and no rows")
        schema = pa.schema([(name, pa.large_string()) for name in names])
        batches = (pa.record_batch(columns, schema) for columns in itertools.chain((first,), found))
        arrow_copy(copy, schema, batches)


@dataclass(frozen=True, eq=False)
class ArrowFeed:
    """A copy made by `composable.engine.feed.arrow.arrow_copy`.

    Blocks of at most `BATCH` neighboring rows, so small that a chunk mixes 64 of them or more, follow one
    another at random; the rows of a chunk are mixed. In memory: a chunk of raw rows while it is made.

    Attributes:
        path: The copy.
        total: How many rows it has.
        encode: From raw rows to what a network learns.
        origin: What it is a copy of, for errors.
        without: The numbers of rows that aren't fed, ascending.
    """

    path: Path
    total: int
    encode: Encode
    origin: str
    without: np.ndarray = field(default_factory=lambda: np.arange(0))
    repeatable = True

    @property
    def rows(self) -> int:
        """How many rows an epoch has."""
        return self.total - len(self.without)

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`."""
        check_chunk(rows, first)
        # A power of two divides BATCH: no block lies in two record batches.
        block = min(BATCH, 1 << (max(1, rows // _BLOCKS).bit_length() - 1))
        kept = KeptRows(np.arange(0, self.total, block), self.total, self.without)
        blocks = ShuffledBlocks(kept.sizes, seed=seed, epoch=epoch)
        with _opened(self.path) as file:
            for number in range(first, blocks.chunks(rows)):
                mixture = blocks.mixture(number, rows)
                yield encoded_chunk(
                    [
                        _taken(file, which * block + kept.within(which, within))
                        for which, within in mixture.pieces
                    ],
                    mixture.order,
                    self.encode,
                    number=number,
                    origin=self.origin,
                )

    def frame(self, rows: np.ndarray, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The raw rows of these ascending numbers, those that aren't fed too; some columns or all."""
        blocks = KeptRows(np.arange(0, self.total, BATCH), self.total, self.without)
        with _opened(self.path) as file:
            pieces = [_taken(file, which * BATCH + within, columns) for which, within in blocks.pieces(rows)]
            return raw_frame(pieces, self.origin)


def arrow_feed(path: Path, encode: Encode, origin: str) -> ArrowFeed:
    """The feed from a copy.

    Args:
        path: The copy.
        encode: From raw rows to what a network learns.
        origin: What it is a copy of, for errors.

    Raises:
        ArtifactError: If the copy is damaged.
    """
    with _opened(path) as file:
        last = file.num_record_batches - 1
        return ArrowFeed(path, last * BATCH + file.get_batch(last).num_rows, encode, origin)


def _opened(path: Path) -> pa.ipc.RecordBatchFileReader:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowException, OSError) as damaged:
        raise ArtifactError(
            "The Arrow copy of a table must be whole.",
            received=f"{path}: {str(damaged)[:200]}",
            remedy="delete it; it will be made again",
        ) from damaged


def _taken(
    file: pa.ipc.RecordBatchFileReader, rows: np.ndarray, columns: Sequence[str] | None = None
) -> pa.Table:
    """Rows of one record batch; none at all are those of the first one."""
    batch = file.get_batch(int(rows[0]) // BATCH if len(rows) else 0)
    batch = batch if columns is None else batch.select(list(columns))
    return pa.Table.from_batches([batch.take(pa.array(rows % BATCH))])


def copy_path(sources: Sequence[Path], cache: Path, *how: object) -> Path:
    """Where the copy of these files lies: another one if their size, time of change or `how` is another."""
    states = [(path.resolve(), path.stat().st_size, path.stat().st_mtime_ns) for path in sources]
    key = repr((states, BATCH, _VERSION, *how)).encode("utf-8", "surrogatepass")
    return cache / f"{sources[0].name[:100]}-{hashlib.sha256(key).hexdigest()[:16]}.arrow"


def arrow_copy(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write the batches, cut anew to `BATCH` rows, uncompressed; the file appears when it is complete.

    Args:
        path: Of the copy.
        schema: Of the batches.
        batches: Of any size; two are in memory.

    Raises:
        SetupError: If the folder can't be written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        os.close(handle)
        part = Path(name)
    except OSError as refused:
        raise _unwritten(path, refused) from refused
    try:
        with pa.OSFile(name, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            _write(writer, schema, batches)
        part.replace(path)
    except OSError as refused:
        raise _unwritten(path, refused) from refused
    finally:
        part.unlink(missing_ok=True)


def _write(
    writer: pa.ipc.RecordBatchFileWriter, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> None:
    rest = schema.empty_table()
    for batch in batches:
        table = pa.concat_tables([rest, pa.Table.from_batches([batch], schema)]).combine_chunks()
        whole = len(table) - len(table) % BATCH
        writer.write_table(table.slice(0, whole), max_chunksize=BATCH)
        rest = table.slice(whole)
    writer.write_table(rest)


def _unwritten(path: Path, refused: OSError) -> SetupError:
    return SetupError(
        "There must be room for a copy of the table in the cache folder.",
        received=f"{path}: {refused}",
        remedy="give a folder on a disk with room, or save the table as Parquet with small row groups",
    )
