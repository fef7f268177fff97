"""Free texts: ids of their words in order, of their n-grams and of their character n-grams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from composable.data.kinds.category import describe_texts, golden_texts, words_per_cell
from composable.data.kinds.kind import Cells, InputKind, ModelInput, Tabular, known_columns
from composable.data.names import shown
from composable.data.parse import parse_texts
from composable.data.recognize import ENOUGH_ROWS, Finding, RawColumn
from composable.data.schema import SURE_MARKERS, Column, Notice
from composable.data.texts import Vocabulary, fit_latent, fit_vocabulary, latent, text_ids

_MANY = 100  # different texts of a category column, from which its words are looked at as well
_WORDS = 1.5  # in a text on average, likewise
_FEW = 1.5  # words per cell above which cells that mostly differ are free text
_PROSE = 8.0  # words per cell from which even repeated cells are free text


@dataclass(frozen=True)
class TextBlock:
    """A column of texts, read by its vocabulary.

    Attributes:
        column: The column's name.
        vocabulary: What has an id.
    """

    kind: Literal["text"] = field(default="text", kw_only=True)
    column: str
    vocabulary: Vocabulary

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """Lists of ids: `words`, `ngrams`, and `characters` where texts are short."""
        sizes = {name: len(entries) for name, entries in self.vocabulary.entries.items()}
        return tuple(
            ModelInput(name, (width,), "int32", "ids", sizes[name])
            for name, width in self.vocabulary.widths.items()
        )

    def encode(self, cells: Cells) -> dict[str, np.ndarray]:
        """Int32 ids, as `Vocabulary` says."""
        return text_ids(_texts(cells), self.vocabulary)

    def golden(self, column: Column, rows: int, random: np.random.Generator) -> pd.Series:
        """Texts of known words and pairs, or None."""
        return golden_texts([*self.vocabulary.words, *self.vocabulary.pairs], 5, rows, random)


def _fit(cells: Cells) -> TextBlock | None:
    """The vocabulary of a column of free text, or of categories with many names of several words."""
    texts = _texts(cells)
    if cells.column.kind != "text" and not _speaks(texts):
        return None
    return TextBlock(cells.column.name, fit_vocabulary(texts))


def _texts(cells: Cells) -> pd.Series:
    return parse_texts(cells.values, cells.column)


def _speaks(texts: pd.Series) -> bool:
    """Whether there are many different texts, most of them of several words."""
    different = pd.Series(texts.dropna().unique(), dtype="str")
    return len(different) > _MANY and float(different.str.count(r"\S+").mean()) >= _WORDS


def prose_column(cells: RawColumn) -> Finding | None:
    """The column as free text: cells are several words and mostly differ; None for others and for targets."""
    if cells.is_target or not (cells.is_text or isinstance(cells.values.dtype, pd.CategoricalDtype)):
        return None
    present, markers = cells.every.without(SURE_MARKERS)
    if present.cells < ENOUGH_ROWS:
        return None
    words, distinct = words_per_cell(present), len(present) / present.cells
    if not ((distinct > 0.5 and words > _FEW) or (words >= _PROSE and len(present) > 50)):
        return None
    reason = f"free text: {words:.1f} words on average, {distinct:.0%} of the cells differ"
    return Finding(Column(cells.name, "text", "feature", reason, markers))


def _training_notices(block: TextBlock, inputs: Mapping[str, np.ndarray]) -> Iterator[Notice]:
    """How the column is read, and how many texts are cut."""
    known = block.vocabulary
    cut = int((inputs["words"][:, -1] > 0).sum())
    size = sum(map(len, (known.words, known.pairs, known.characters)))
    yield Notice(
        f"{shown(block.column)} is read as text: {size:,} words, pairs of words and character n-grams "
        f"have a meaning; where order counts, the first {known.length} words are read ({cut} texts have "
        "as many or more).",
        column=block.column,
    )


def _tabular(learned: Mapping[str, np.ndarray], query: Mapping[str, np.ndarray]) -> Tabular | None:
    """Latent features, fitted to the rows to learn from."""
    if "ngrams" not in learned:
        return None
    axes = fit_latent(learned["ngrams"])
    return Tabular(latent(learned["ngrams"], *axes), latent(query["ngrams"], *axes))


TEXT = InputKind(
    "text",
    ("text", "category"),
    prose_column,
    _fit,
    partial(describe_texts, parse=parse_texts),
    known_columns,
    training_notices=_training_notices,
    tabular=_tabular,
    parse=_texts,
)
