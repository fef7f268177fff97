"""Copy a table once to an Arrow file, from which any rows can be read at once, in bounded memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from composable.core.errors import SetupError

BATCH = 1024  # rows of a record batch, but for the last
_VERSION = 1  # of what is written


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
