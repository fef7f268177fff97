"""The schema file that `inspect` writes for a user to edit, and never takes away from them."""

from __future__ import annotations

from pathlib import Path

from composable.core.records import to_json
from composable.core.workspace import write_atomically
from composable.data.schema import SCHEMA_VERSION, Schema

TABLE_SUFFIXES = (".gz", ".csv", ".tsv", ".txt", ".parquet")


def schema_path(data: str) -> Path:
    """`cars.csv.gz` has its schema beside it in `cars.schema.json`."""
    path = Path(data)
    name = path.name
    for suffix in TABLE_SUFFIXES:
        name = name.removesuffix(suffix)
    return path.with_name(f"{name or path.name}.schema.json")


def write_schema(schema: Schema, path: Path, *, force: bool) -> str:
    """Write a schema and return the sentence to tell.

    A file that is there with another content may have been edited, so it stays unless `force` says otherwise;
    that is no error, since the inspection itself was asked for and is done.

    Raises:
        OSError: If the file can't be written.
    """
    text = to_json(schema, format="schema", version=SCHEMA_VERSION) + "\n"
    if not force and path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        return f"Kept {path}, which differs from what was found now; --force replaces it."
    write_atomically(path, text)
    return f"Schema: {path} (edit it and pass it to `composable fit --schema`)"
