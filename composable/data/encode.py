"""Fit the text to code tables on training rows, and apply them: raw rows to the model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from composable.core.errors import DataError
from composable.data.encoding import FIRST, MISSING, UNKNOWN, CategoryTable, Encoding, NumberColumn
from composable.data.frames import column_of
from composable.data.images.encoded import encoded_images, fit_images
from composable.data.images.source import ImageSource
from composable.data.infer_words import VOCABULARY
from composable.data.names import listed
from composable.data.parse import parse_dates, parse_numbers, parse_texts, raw_texts
from composable.data.schema import Column, Schema
from composable.data.text_columns import encoded_texts, fit_texts

_NONE: Mapping[str, ImageSource] = MappingProxyType({})
_MANY = 20  # with more different values than this, a value seen once is rare
_LARGEST = 3e38  # just inside float32
_FINENESS = (
    1e4  # values so much larger than their spread leave float32 few of its 24 bits for the differences
)
_CASINGS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})


def fit_encoding(
    frame: pd.DataFrame,
    schema: Schema,
    rows: Sequence[int] | np.ndarray | None = None,
    *,
    images: Mapping[str, ImageSource] = _NONE,
) -> Encoding:
    """Fit the tables on the training rows alone.

    Args:
        frame: As in `Table.frame`.
        schema: Its schema; only the features are encoded.
        rows: The training rows' positions, or a mask over all rows; None takes every row.
        images: As in `Table.images`.
    """
    train = frame if rows is None else frame.iloc[np.asarray(rows)]
    features = schema.features
    return Encoding(
        numbers=tuple(_fit_number(column_of(train, c.name), c) for c in features if c.kind == "number"),
        dates=tuple(c.name for c in features if c.kind == "date"),
        categories=tuple(
            _fit_category(column_of(train, c.name), c) for c in features if c.kind in ("category", "boolean")
        ),
        texts=fit_texts(train, features),
        images=tuple(fit_images(c.name, images) for c in features if c.kind == "image"),
    )


def encode(
    frame: pd.DataFrame,
    schema: Schema,
    encoding: Encoding,
    *,
    images: Mapping[str, ImageSource] = _NONE,
    origin: str = "",
    strict: bool = False,
) -> dict[str, np.ndarray]:
    """Raw rows to the model's inputs: those in `encoding.widths`, each of shape (rows, width), and images.

    Args:
        frame: Raw rows; columns in any order, others than the encoding's are ignored.
        schema: What the columns are.
        encoding: The fitted tables.
        images: As in `Table.images`.
        origin: The file, for errors.
        strict: Whether a cell that can't be read is an error (prediction) or a missing value (training).

    Returns:
        `numbers` and `dates` as float32 (finite, or NaN = missing), `categories` and ids of texts as int32,
        `images` (rows, height, width, channels) as uint8.

    Raises:
        DataError: If columns are missing (all are named), an image can't be read, or, if `strict`, a cell.
    """
    missing = [name for name in encoding.columns if name not in frame.columns]
    if missing:
        raise DataError(
            "The rows need every column that the model was trained on.",
            received=f"{origin or 'the data'} lacks {listed(missing, 50)}",
            remedy="add them; a column may be empty, its values then count as missing",
        )

    columns = {column.name: column for column in schema.columns}

    def numbers(item: NumberColumn) -> np.ndarray:
        cells = column_of(frame, item.column)
        return parse_numbers(cells, columns[item.column], origin=origin, strict=strict) - item.offset

    def dates(name: str) -> np.ndarray:
        return parse_dates(column_of(frame, name), columns[name], origin=origin, strict=strict)

    encoded: dict[str, np.ndarray] = {}
    if encoding.numbers:
        encoded["numbers"] = _float32([numbers(item) for item in encoding.numbers])
    if encoding.dates:
        encoded["dates"] = _float32([dates(name) for name in encoding.dates])
    if encoding.categories:
        codes = [_codes(column_of(frame, t.column), columns[t.column], t) for t in encoding.categories]
        encoded["categories"] = np.stack(codes, axis=1)
    encoded |= encoded_texts(frame, columns, encoding.texts)
    return encoded | encoded_images(frame, encoding.images, images, origin=origin)


def _float32(columns: list[np.ndarray]) -> np.ndarray:
    matrix = np.empty((len(columns[0]), len(columns)), dtype=np.float32)
    for i, column in enumerate(columns):
        matrix[:, i] = np.clip(column, -_LARGEST, _LARGEST)
    return matrix


def _fit_number(values: pd.Series, column: Column) -> NumberColumn:
    numbers = parse_numbers(values, column, origin="", strict=False)
    numbers = numbers[~np.isnan(numbers)]
    if not numbers.size:
        return NumberColumn(column.name)
    low, middle, high = (float(part) for part in np.quantile(numbers, (0.25, 0.5, 0.75)))
    spread = high - low or float(np.ptp(numbers))
    return NumberColumn(column.name, middle if spread and abs(middle) > _FINENESS * spread else 0.0)


def _fit_category(values: pd.Series, column: Column) -> CategoryTable:
    """The frequent values, the most frequent first (ties by the alphabet), and how else they were written."""
    texts = parse_texts(values, column)
    counts = texts.value_counts()
    if len(counts) > _MANY:
        counts = counts.loc[counts > 1]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))[:VOCABULARY]
    known = tuple(str(text) for text, _ in ranked)
    spellings = _seen_spellings(values, texts, set(known))
    if column.kind == "boolean":
        spellings = {**_casings(known), **spellings}
    return CategoryTable(column.name, known, spellings)


def _seen_spellings(values: pd.Series, texts: pd.Series, known: set[str]) -> dict[str, str]:
    raw = raw_texts(values)
    pairs = pd.DataFrame({"raw": raw.to_numpy(dtype=object), "text": texts.to_numpy(dtype=object)}).dropna()
    pairs = pairs[(pairs["raw"] != pairs["text"]) & pairs["text"].isin(list(known))].drop_duplicates()
    return {str(written): str(text) for written, text in sorted(pairs.itertuples(index=False))}


def _casings(known: tuple[str, ...]) -> dict[str, str]:
    """The same truth value as another program may write it: "true" and "TRUE" for "True"."""
    if {text.lower() for text in known} not in _CASINGS or len({text.lower() for text in known}) < len(known):
        return {}
    ways = ((way, text) for text in known for way in (text.lower(), text.upper(), text.capitalize()))
    return {way: text for way, text in ways if way not in known}


def _codes(values: pd.Series, column: Column, table: CategoryTable) -> np.ndarray:
    texts = parse_texts(values, column)
    places, different = pd.factorize(texts)
    code_of = {text: FIRST + i for i, text in enumerate(table.values)}
    found = [code_of.get(table.spellings.get(text, text), UNKNOWN) for text in different]
    return np.array([*found, MISSING], dtype=np.int32)[places]  # factorize gives -1, the last, where missing
