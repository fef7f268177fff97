"""The client of a bundle in plain Python: raw cells to the model's inputs, and its outputs to answers.

`composable.deploy.source` writes these functions into the programs that it emits. They do for cells what
`composable.data.encode` and `composable.deploy.answers` do for whole pandas columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from composable.data.dates import ISO
from composable.data.encoding import FIRST, MISSING, UNKNOWN, UNKNOWN_WORD
from composable.data.images.conversion import ImageShape, image_facts, read_image
from composable.data.numerals import Writing
from composable.data.schema import MISSING_MARKS
from composable.data.text_tokens import characters, tokens
from composable.deploy.answers import class_codes, class_words
from composable.deploy.masks import class_shares, full_size, levels_at

LARGEST = 3e38  # just inside float32
ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)  # dates enter the model as days since then

Rows = Mapping[str, Sequence[Any]]
Table = Mapping[str, Any]  # an object of `bundle.json`


def encoded_numbers(rows: Rows, tables: Sequence[Table], columns: Mapping[str, Table]) -> np.ndarray:
    """The number columns, shape (rows, columns); NaN where there is no number."""
    made = []
    for table in tables:
        column = columns[table["column"]]
        writing = Writing(column["decimal"], column["thousands"], tuple(column["affixes"]))
        missing = {read_number(mark, writing) for mark in column["missing"]}  # such as -999
        values = read_cells(rows, column, partial(read_number, writing=writing), "a number")
        known = (np.nan if value in missing or np.isinf(value) else value for value in values)
        made.append([value - table["offset"] for value in known])
    return np.clip(np.array(made, "float64").T, -LARGEST, LARGEST).astype("float32")


def encoded_dates(rows: Rows, names: Sequence[str], columns: Mapping[str, Table]) -> np.ndarray:
    """The date columns as days since 2000-01-01, shape (rows, columns); NaN where there is no date."""
    made = []
    for name in names:
        form = columns[name]["date_format"] or ISO
        read = partial(read_date, form=form)
        made.append(list(read_cells(rows, columns[name], read, f"a date in the format {form}")))
    return np.array(made, "float32").T


def encoded_categories(rows: Rows, tables: Sequence[Table], columns: Mapping[str, Table]) -> np.ndarray:
    """The category columns as codes, shape (rows, columns)."""
    made = []
    for table in tables:
        codes = {value: FIRST + number for number, value in enumerate(table["values"])}
        cells = read_texts(rows, columns[table["column"]])
        texts = [cell if cell is None else re.sub(r"^([+-]?\d+)\.0+$", r"\1", cell) for cell in cells]
        spelled = [table["spellings"].get(text, text) for text in texts]
        made.append([MISSING if text is None else codes.get(text, UNKNOWN) for text in spelled])
    return np.array(made, "int32").T


def encoded_words(rows: Rows, tables: Sequence[Table], columns: Mapping[str, Table]) -> np.ndarray:
    """The ids of the words of the text columns, in their order, shape (rows, widths); 0 after the last."""
    made, known = [], 0
    for table in tables:
        codes = {word: FIRST + known + number for number, word in enumerate(table["words"])}
        known += len(codes)
        texts = [tokens(text or "") for text in read_texts(rows, columns[table["column"]])]
        found = [[codes.get(word, UNKNOWN_WORD) for word in words] for words in texts]
        made.append(filled(found, table["length"]))
    return np.concatenate(made, axis=1)


def encoded_ngrams(rows: Rows, tables: Sequence[Table], columns: Mapping[str, Table]) -> np.ndarray:
    """The ids of the words and pairs of words in the text columns, ascending, shape (rows, widths)."""
    made, known = [], 0
    for table in tables:
        ngrams = [*table["words"], *table["pairs"]]
        codes = {ngram: FIRST + known + number for number, ngram in enumerate(ngrams)}
        known += len(codes)
        texts = [tokens(text or "") for text in read_texts(rows, columns[table["column"]])]
        held = [{*words, *map(" ".join, pairwise(words))} for words in texts]
        found = [sorted(codes[ngram] for ngram in each if ngram in codes) for each in held]
        made.append(filled(found, table["most_ngrams"]))
    return np.concatenate(made, axis=1)


def encoded_characters(rows: Rows, tables: Sequence[Table], columns: Mapping[str, Table]) -> np.ndarray:
    """The ids of the runs of characters in the text columns, ascending, shape (rows, widths)."""
    made, known = [], 0
    for table in tables:
        codes = {run: FIRST + known + number for number, run in enumerate(table["characters"])}
        known += len(codes)
        texts = [tokens(text or "") for text in read_texts(rows, columns[table["column"]])]
        held = [{run for word in words for run in characters(word)} for words in texts]
        found = [sorted(codes[run] for run in each if run in codes) for each in held]
        made.append(filled(found, table["most_characters"]))
    return np.concatenate(made, axis=1)


def filled(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """The first ids of each row, then zeros, shape (rows, width)."""
    made = np.zeros((len(rows), width), "int32")
    for place, row in zip(made, rows, strict=True):
        place[: min(len(row), width)] = row[:width]
    return made


def encoded_images(rows: Rows, tables: Sequence[Table], columns: Mapping[str, Table]) -> np.ndarray:
    """The images that the cells name, shape (rows, height, width, channels of all columns)."""
    made = []
    for table in tables:
        shape = ImageShape(table["height"], table["width"], table["channels"], table["padded"])
        cells = column_of(rows, columns[table["column"]]["name"])
        made.append(np.stack([read_image(Path(cell), shape) for cell in cells]))
    return np.concatenate(made, axis=-1)


def answers(outputs: Sequence[np.ndarray], heads: Sequence[Table]) -> dict[str, list[Any]]:
    """`prediction` and, for classes, `p_<class>`; with several targets `prediction_<target>` and so on."""
    columns = {}
    several = sum(len(head["targets"]) for head in heads) > 1
    for head, output in zip(heads, outputs, strict=True):
        for position, target in enumerate(head["targets"]):
            middle = f"_{target}" if several else ""
            found = output.astype("float64")
            if head["kind"] == "regression":
                columns[f"prediction{middle}"] = found[:, 0].tolist()
                continue
            if head["kind"] != "multiclass":
                found = np.stack([1.0 - found[:, position], found[:, position]], axis=1)
            columns[f"prediction{middle}"] = [head["labels"][code] for code in class_codes(found)]
            for word, probabilities in zip(class_words(head["labels"]), found.T, strict=True):
                columns[f"p{middle}_{word}"] = probabilities.tolist()
    return columns


def mask_answers(outputs: Sequence[np.ndarray], tables: Table, rows: Rows) -> dict[str, list[Any]]:
    """`prediction`, the mask of each image as it was, (height, width) of uint8, and `share_<class>`."""
    (head,), (image,) = tables["problem"]["heads"], tables["encoding"]["images"]
    columns: dict[str, list[Any]] = {"prediction": []}
    columns |= {f"share_{label}": [] for label in head["labels"]}
    for cell, probabilities in zip(column_of(rows, image["column"]), outputs[0], strict=True):
        seen = image_facts(Path(cell))
        codes = full_size(probabilities, seen.height, seen.width)
        columns["prediction"].append(levels_at(codes, head["labels"]))
        for label, share in zip(head["labels"], class_shares(codes, len(head["labels"])), strict=True):
            columns[f"share_{label}"].append(float(share))
    return columns


def write_mask(mask: np.ndarray, path: str | Path) -> None:
    """Write a mask as a PNG file, in which the classes have the levels that the training masks had."""
    Image.fromarray(mask).save(path, "PNG")


def read_cells(rows: Rows, column: Table, read: Callable[[Any], float], wanted: str) -> Iterator[float]:
    """The cells of a column as numbers; NaN where they are empty or hold a mark for "no value".

    Raises:
        ValueError: If a cell holds something else; names the column and the row.
    """
    missing = {mark.strip() for mark in column["missing"]}
    for number, cell in enumerate(column_of(rows, column["name"]), 1):
        text = cell_text(cell)
        value = np.nan if text in missing else read(cell)
        if np.isnan(value) and text not in {*missing, *MISSING_MARKS}:
            raise ValueError(f"Column {column['name']!r} must hold {wanted}; row {number} holds {text!r}.")
        yield value


def read_texts(rows: Rows, column: Table) -> Iterator[str | None]:
    """The cells of a column as texts, None where there is no value."""
    missing = {"", "?", *(mark.strip() for mark in column["missing"])}
    for cell in column_of(rows, column["name"]):
        text = cell_text(cell)
        yield None if text in missing else text


def column_of(rows: Rows, name: str) -> Sequence[Any]:
    """The cells of a column.

    Raises:
        ValueError: If it isn't there.
    """
    if name not in rows:
        raise ValueError(f"The rows need the column {name!r}; it may be empty.")
    return rows[name]


def cell_text(cell: Any) -> str:
    """A cell as text without outer blanks, whole numbers without ".0"; empty where there is none."""
    if cell is None or str(cell) in ("<NA>", "NaT", "nan"):
        return ""
    if isinstance(cell, float | np.floating):
        value = float(cell)
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(cell, date):
        return (cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)).isoformat()
    return str(cell).strip()


def read_number(cell: Any, writing: Writing) -> float:
    """A number as it is, or as its column writes numbers; NaN where there is none."""
    if isinstance(cell, int | float | np.number | np.bool_):
        return float(cell)
    text = cell_text(cell)
    if not re.fullmatch(writing.pattern, text, re.ASCII):
        return np.nan
    for affix in sorted(writing.affixes, key=len, reverse=True):
        text = text.replace(affix, "")
    if writing.affixes:
        text = "".join(text.split())
    if writing.thousands:
        text = text.replace(writing.thousands, "")
    return float(text.replace(writing.decimal, "."))


def read_date(cell: Any, form: str) -> float:
    """A date as days since 2000-01-01, the time of day as the fraction; NaN where there is none."""
    if isinstance(cell, np.datetime64):
        cell = cell.astype("datetime64[us]").item()
    stamp = cell if isinstance(cell, datetime) else _date(cell_text(cell), form)
    if stamp is None or stamp != stamp:  # NaT
        return np.nan
    return ((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)) - ORIGIN) / timedelta(days=1)


def _date(text: str, form: str) -> datetime | None:
    try:
        return datetime.fromisoformat(_iso(text)) if form == ISO else datetime.strptime(text, form)
    except ValueError:
        return None


def _iso(text: str) -> str:
    """The text as Python's own reading of ISO dates wants it: 2020-1 becomes 2020-01-01."""
    found = re.fullmatch(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?(?:[T ](\d{1,2})(.*))?", text)
    if not found:
        return text
    year, month, day, hour, rest = found.groups()
    return f"{year}-{month or 1:0>2}-{day or 1:0>2}" + (f"T{hour:0>2}{rest}" if hour else "")
