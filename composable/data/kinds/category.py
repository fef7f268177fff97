"""Categories, and truth values as two of them: a code for each frequent text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from composable.data.kinds.kind import Cells, InputKind, ModelInput, Tabular, gaps, known_columns
from composable.data.names import cut, shown
from composable.data.parse import parse_categories, raw_texts
from composable.data.recognize import (
    ENOUGH_ROWS,
    Distinct,
    Finding,
    RawColumn,
    is_named_like_identifier,
    or_missing,
)
from composable.data.schema import FIRST, MISSING, SURE_MARKERS, UNKNOWN, Column, Notice

CATEGORIES = "categories"
_MOST_CODES = 250  # of a column, in tables: scikit-learn takes up to 255; others count as unknown
UNSEEN = "a value that nobody has seen"
_MANY = 20  # with more different values than this, a value seen once is rare
_TRUTHS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
VOCABULARY = 10_000  # categories that get a code of their own
_TOKEN = 1.2  # words per cell, on average, up to which cells are single tokens
_SAMPLE = 5_000  # different cells whose words are counted
_TOP, _EXAMPLES = 10, 5
ParseTexts = Callable[[pd.Series, Column], pd.Series]


@dataclass(frozen=True)
class CategoryBlock:
    """A column of categories: the text `values[i]` has the code `FIRST + i`.

    Attributes:
        column: The column's name.
        values: The texts that have a code, the most frequent first.
        spellings: Other ways a value was written in the training data ("WD " for "WD"); they count as it.
    """

    kind: Literal["category"] = field(default="category", kw_only=True)
    column: str
    values: tuple[str, ...]
    spellings: Mapping[str, str]

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """One column of `categories`."""
        return (ModelInput(CATEGORIES, (1,), "int32", "codes", FIRST + len(self.values)),)

    @cached_property
    def codes(self) -> dict[str, int]:
        """The code of each text, its other spellings included."""
        codes = {text: FIRST + index for index, text in enumerate(self.values)}
        return codes | {spelling: codes.get(text, UNKNOWN) for spelling, text in self.spellings.items()}

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """Int32 codes."""
        indices, different = pd.factorize(parse_categories(cells.values, cells.column))
        found = [self.codes.get(text, UNKNOWN) for text in different]
        # factorize gives -1, the last, where missing
        return {CATEGORIES: np.array([*found, MISSING], dtype=np.int32)[indices][:, None]}

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> pd.Series:
        """Texts, or None."""
        return golden_texts([*self.values, *self.spellings], 1, rows, random)


def golden_texts(known: list[str], words: int, rows: int, random: np.random.Generator) -> pd.Series:
    """Raw cells of so many known words each; see `composable.data.kinds.kind.Block.golden`."""
    values = [" ".join(random.choice(known, words)) if known else UNSEEN for _ in range(rows)]
    found = pd.Series(values, dtype=object)
    found[gaps(rows, random)] = None
    found.iloc[-3:] = [None, UNSEEN, UNSEEN.upper()]
    return found


def describe_texts(cells: Cells, parse: ParseTexts = parse_categories) -> dict[str, Any]:
    """The part of a profile that describes a column of texts of any kind."""
    present = parse(cells.values, cells.column).dropna()
    counts = present.value_counts()
    return {
        "distinct": len(counts),
        "examples": [cut(text) for text in present.head(1_000).drop_duplicates().head(_EXAMPLES)],
        "top": [[cut(text), int(count)] for text, count in counts.head(_TOP).items()],
        "missing": len(cells.values) - len(present),
    }


def _describe(cells: Cells) -> dict[str, Any]:
    """With a warning where most values are seen once."""
    found, warnings = describe_texts(cells), []
    enough = found["distinct"] > 0.5 * max(1, len(cells.values) - found["missing"])
    if enough and cells.column.role == "feature" and cells.column.kind == "category":
        warnings.append(f"most of the {found['distinct']:,} values appear once and can't be learned from")
    return found | {"warnings": warnings}


def _fit(cells: Cells) -> CategoryBlock:
    """The frequent values, the most frequent first (ties by the alphabet), and how else they were written."""
    texts = parse_categories(cells.values, cells.column)
    counts = texts.value_counts()
    if len(counts) > _MANY:
        counts = counts.loc[counts > 1]
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))[:VOCABULARY]
    known = tuple(str(text) for text, _ in ranked)
    spellings = _seen_spellings(cells.values, texts, set(known))
    if cells.column.kind == "boolean":
        spellings = {**_casings(known), **spellings}
    return CategoryBlock(cells.column.name, known, spellings)


def _seen_spellings(values: pd.Series, texts: pd.Series, known: set[str]) -> dict[str, str]:
    raw = raw_texts(values)
    pairs = pd.DataFrame({"raw": raw.to_numpy(dtype=object), "text": texts.to_numpy(dtype=object)}).dropna()
    pairs = pairs[(pairs["raw"] != pairs["text"]) & pairs["text"].isin(list(known))].drop_duplicates()
    return {str(written): str(text) for written, text in sorted(pairs.itertuples(index=False))}


def _casings(known: tuple[str, ...]) -> dict[str, str]:
    """The same truth value as another program may write it: "true" and "TRUE" for "True"."""
    if {text.lower() for text in known} not in _TRUTHS or len({text.lower() for text in known}) < len(known):
        return {}
    ways = ((way, text) for text in known for way in (text.lower(), text.upper(), text.capitalize()))
    return {way: text for way, text in ways if way not in known}


def _query_notices(block: CategoryBlock, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """How many values have no code."""
    codes = inputs[CATEGORIES]
    unseen = int((codes == UNKNOWN).sum())
    if unseen:
        share = f"{unseen} of {len(codes)} values of {shown(block.column)}"
        yield Notice(f"{share} are unseen or rare: taken as unknown.", "warning", block.column)


def _tabular(learned: Mapping[str, np.ndarray], query: Mapping[str, np.ndarray]) -> Tabular | None:
    if CATEGORIES not in learned:
        return None
    codes = (np.where(each[CATEGORIES] < _MOST_CODES, each[CATEGORIES], UNKNOWN) for each in (learned, query))
    return Tabular(*(each.astype("float32") for each in codes), categorical=True)


def truth_column(cells: RawColumn) -> Finding | None:
    """The column as true or false; None where it holds anything else."""
    if not cells.is_text:
        is_truth = cells.source is None and pd.api.types.is_bool_dtype(cells.values.dtype)
        return Finding(Column(cells.name, "boolean", "feature", "true or false")) if is_truth else None
    present = cells.present
    lowered = set(present.texts.str.lower()) if len(present) <= 6 else set()  # three spellings of two values
    if lowered not in _TRUTHS:
        return None
    return Finding(
        Column(cells.name, "boolean", "feature", " or ".join(present.texts), cells.missing_markers)
    )


def word_column(cells: RawColumn) -> Finding:
    """The column, of no other kind, as an identifier, a constant or a category."""
    name = cells.name
    if not len(cells.every):
        return Finding(Column(name, "empty", "drop", "no values"))
    present, markers = cells.every.without(SURE_MARKERS)
    if not len(present):
        return Finding(Column(name, "category" if cells.is_target else "empty", "drop", "no values", markers))
    count = f"{len(present):,} different texts"
    if cells.is_target:
        return Finding(Column(name, "category", "feature", count, markers))
    if len(present) == 1:
        reason = f"always {shown(present.texts.iloc[0], 40)}{or_missing(cells.values, present.cells)}"
        return Finding(Column(name, "constant", "drop", reason, markers))
    distinct = len(present) / present.cells
    mostly = 0.9 if is_named_like_identifier(name) else 0.95
    if present.cells >= ENOUGH_ROWS and distinct >= mostly and words_per_cell(present) <= _TOKEN:
        return Finding(Column(name, "identifier", "drop", f"{count} in {present.cells:,} rows", markers))
    return Finding(Column(name, "category", "feature", count, markers), _rare(name, present))


def words_per_cell(present: Distinct) -> float:
    """The number of words per cell, on average."""
    return float(present.texts.head(_SAMPLE).str.count(r"\S+").mean())


def _rare(name: str, present: Distinct) -> tuple[Notice, ...]:
    if len(present) <= VOCABULARY:
        return ()
    text = f"{len(present):,} different texts: all but the {VOCABULARY:,} most frequent count as unknown."
    return (Notice(text, level="warning", column=name, remedy="--drop if the column only names the rows"),)


CATEGORY = InputKind(
    "category",
    ("category", "boolean"),
    truth_column,
    _fit,
    _describe,
    known_columns,
    query_notices=_query_notices,
    tabular=_tabular,
    can_be_target=True,
)
