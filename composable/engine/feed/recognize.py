"""One door for every source that is fed in chunks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import keras

from composable.core.errors import ConfigError, DataError
from composable.data.names import shown
from composable.data.text_encoding import PARQUET
from composable.engine.feed.arrow import Encode, csv_feed
from composable.engine.feed.batches import (
    UNNAMED,
    Names,
    py_dataset_feed,
    rows_of,
    tensorflow_dataset_feed,
    torch_loader_feed,
)
from composable.engine.feed.chunk import ArraysFeed, Feed
from composable.engine.feed.image_folder import ImageShape, image_folder_feed
from composable.engine.feed.parquet import parquet_feed
from composable.engine.rows import Rows

T = TypeVar("T")
_PARQUET_NAMES = (".parquet", ".pq", ".parq")


def as_feed(
    source: Any,
    *,
    encode: Encode | None = None,
    cache: Path | None = None,
    images: ImageShape | None = None,
    names: Names = UNNAMED,
) -> Feed:
    """Recognize a source. TensorFlow and PyTorch are not imported for it.

    Args:
        source: A feed; `Rows`; arrays as Keras `fit` takes them, `(x, y)` or `(x, y, sample_weight)`; the
            path of a CSV, TSV or Parquet file, of a folder of Parquet files or of a folder of images with a
            sub-folder per class; a batched `tf.data.Dataset`, a `keras.utils.PyDataset` or a PyTorch
            `DataLoader`.
        encode: From the raw rows of a table file to what a network learns.
        cache: A folder for copies of table files that can't be read in any order.
        images: What every image becomes.
        names: Those of inputs and targets, where the source has none.

    Raises:
        DataError: If the source is none of these, or damaged.
        ConfigError: If `encode`, `cache` or `images` is missing where the source needs it.
    """
    if isinstance(source, Feed):
        return source
    if isinstance(source, Rows):
        return ArraysFeed(source.inputs, source.targets, source.weights)
    if isinstance(source, (str, os.PathLike)):
        return _of_path(Path(source).expanduser(), encode, cache, images, names)
    if isinstance(source, keras.utils.PyDataset):
        return py_dataset_feed(source, names)
    if isinstance(source, _imported("tensorflow", "data.Dataset")):
        return tensorflow_dataset_feed(source, names)
    if isinstance(source, _imported("torch", "utils.data.DataLoader")):
        return torch_loader_feed(source, names)
    if isinstance(source, (tuple, Mapping)):
        rows = rows_of(source, names, origin="the arrays")
        return ArraysFeed(rows.inputs, rows.targets, rows.weights)
    raise DataError(
        "The source must be arrays, a path, a tf.data.Dataset, a PyDataset or a DataLoader.",
        received=type(source).__name__,
        remedy="for a generator: a keras.utils.PyDataset, which can be read again in every epoch",
    )


def _imported(module: str, name: str) -> tuple[type, ...]:
    """The class of that name if its module has been imported: otherwise there are no instances of it."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return (found,) if isinstance(found, type) else ()


def _of_path(
    path: Path, encode: Encode | None, cache: Path | None, images: ImageShape | None, names: Names
) -> Feed:
    if path.is_dir():
        if parts := _parquet_files(path):
            return parquet_feed(parts, _required(encode, "encode", path), cache=cache)
        return image_folder_feed(path, _required(images, "images", path), name=names.inputs[0])
    if not path.is_file():
        raise DataError("The data must be a file or folder that can be read.", received=f"{path} is neither")
    with path.open("rb") as stream:
        starts_as_parquet = stream.read(len(PARQUET)) == PARQUET
    if starts_as_parquet or path.suffix.lower() in _PARQUET_NAMES:
        return parquet_feed((path,), _required(encode, "encode", path), cache=cache)
    return csv_feed(path, _required(encode, "encode", path), cache=_required(cache, "cache", path))


def _parquet_files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in _PARQUET_NAMES))


def _required(value: T | None, option: str, path: Path) -> T:
    if value is None:
        raise ConfigError(
            f"To feed from this source, `{option}` is needed.", received=f"{shown(path)} without it"
        )
    return value
