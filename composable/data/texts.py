"""Texts to ids of their words in order and of the n-grams that they hold, and to a few latent numbers."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from composable.data.schema import FIRST, UNKNOWN_WORD

# Scripts that don't put blanks between words: each of their characters counts as a word.
_SINGLE = (
    r"\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF"  # Thai and Lao, Burmese, Khmer
    r"\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF"  # kana, Chinese characters
)
# Signs in words that `\w` leaves out: accents, and the vowels of Hebrew, Arabic and the scripts of India.
_SIGNS = r"\u0300-\u036F\u0591-\u05C7\u064B-\u065F\u0900-\u0DFF"
_TOKEN = re.compile(rf"[{_SINGLE}]|(?:[^\W{_SINGLE}]|[{_SIGNS}])+|[^\w\s]")
_SHORTEST, _LONGEST = 2, 5  # character n-grams
_LONGEST_WORD = 40  # of a longer one, such as an address, this many characters are looked at


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, after Unicode's NFKC; each punctuation mark and emoji is one."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def word_places(text: str) -> list[tuple[int, int]]:
    """Where each word begins and ends in a text as it was written."""
    return [found.span() for found in _TOKEN.finditer(text)]


def character_ngrams(word: str) -> list[str]:
    """The n-grams of two to five characters of a word with a blank at either end; none of a single letter."""
    if len(word) < _SHORTEST:
        return []
    marked = f" {word[:_LONGEST_WORD]} "
    ends = range(_SHORTEST, _LONGEST + 1)
    return [marked[start : start + size] for size in ends for start in range(len(marked) - size + 1)]


WORDS, PAIRS, CHARACTERS = 30_000, 60_000, 50_000  # that get an id, the most frequent ones
LENGTH, NGRAMS, MOST_CHARACTERS = (
    400,
    2048,
    1024,
)  # ids of a text at most: its words, n-grams and character n-grams
_LEAST = 2  # texts that must hold what gets an id
_LETTERS = 30_000_000  # that are looked at for the vocabulary
_ROWS = 2_000  # texts that are numbers in memory at once
_ROOM = 0.99  # the share of the texts that are kept uncut
_SHORT = 1_200  # character n-grams of which nine of ten texts have fewer: beyond, they cost too much time


@dataclass(frozen=True)
class Vocabulary:
    """What has an id in a column of texts, see `composable.data.texts`.

    In `words` stand the ids of a text's words in their order: `FIRST` and the index in `words`, or
    `UNKNOWN_WORD`. In `ngrams` stand, ascending, those of the different words and pairs of neighboring words
    that it holds: `FIRST` and the index in `words` followed by `pairs`. In `characters` likewise those of its
    character n-grams within words. What isn't in the vocabulary has no id there. Each list is cut at its
    width and filled up with 0.

    Attributes:
        words: The words, the most frequent first.
        pairs: The pairs of neighboring words, with a blank between them.
        characters: Two to five characters each, with a blank for the beginning and the end of a word.
        length: The width of `words`.
        most_ngrams: The width of `ngrams`.
        most_characters: The width of `characters`; 0 where texts are long, then there is no such input.
    """

    words: tuple[str, ...]
    pairs: tuple[str, ...]
    characters: tuple[str, ...]
    length: int
    most_ngrams: int
    most_characters: int

    @property
    def entries(self) -> dict[str, tuple[str, ...]]:
        """What has an id, by the name of the model's input."""
        return {"words": self.words, "ngrams": self.words + self.pairs, "characters": self.characters}

    @property
    def widths(self) -> dict[str, int]:
        """How many ids a text has room for, by the name of the model's input."""
        widths = {"words": self.length, "ngrams": self.most_ngrams, "characters": self.most_characters}
        return {name: width for name, width in widths.items() if width}

    @cached_property
    def ids(self) -> dict[str, dict[str, int]]:
        """The id of each entry, by the name of the model's input."""
        return {
            name: {text: FIRST + number for number, text in enumerate(known)}
            for name, known in self.entries.items()
        }


@dataclass(frozen=True, eq=False)
class _Tokens:
    """Texts as numbers: in text `rows[i]` stands the word `different[indices[i]]`, in order."""

    different: list[str]
    indices: np.ndarray
    rows: np.ndarray
    count: int


def fit_vocabulary(texts: pd.Series) -> Vocabulary:
    """The vocabulary of texts, the most frequent first (ties by the alphabet), and how long they are.

    Args:
        texts: The texts as `parse_texts` gives them.
    """
    looked_at = texts.iloc[:: int(texts.str.len().sum()) // _LETTERS + 1]
    found = _read(looked_at)
    in_texts = np.bincount(_distinct(found.rows, found.indices)[1], minlength=len(found.different))
    words = _frequent(zip(found.different, in_texts.tolist(), strict=True), WORDS)
    pairs = _frequent(_pair_counts(found, set(words)), PAIRS)
    ngrams = _frequent(_character_counts(found, in_texts), CHARACTERS)
    vocabulary = Vocabulary(words, pairs, ngrams, LENGTH, NGRAMS, MOST_CHARACTERS if ngrams else 0)
    some = looked_at.iloc[:: len(looked_at) // _ROWS + 1]
    room = {name: _room(ids) for name, ids in text_ids(some, vocabulary).items()}
    return replace(
        vocabulary,
        length=room["words"],
        most_ngrams=room["ngrams"],
        most_characters=room.get("characters", 0),
    )


def text_ids(texts: pd.Series, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """The ids of texts by the name of the model's input; int32, see `Vocabulary`.

    Args:
        texts: The texts as `parse_texts` gives them.
        vocabulary: What has an id.

    Returns:
        Those of `vocabulary.widths`, each of shape (rows, width).
    """
    starts = range(0, max(len(texts), 1), _ROWS)
    codes, widths = vocabulary.ids, vocabulary.widths
    parts = [_ids(_read(texts.iloc[first : first + _ROWS]), codes, widths) for first in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in widths}


def _ids(
    found: _Tokens, codes: Mapping[str, Mapping[str, int]], widths: Mapping[str, int]
) -> dict[str, np.ndarray]:
    words = _looked_up(found.different, codes["words"], UNKNOWN_WORD)[found.indices]
    ids = {"words": _filled(found.rows, words, found.count, widths["words"])}
    pair_rows, pair_places, pairs = _pairs(found)
    single = _looked_up(found.different, codes["ngrams"], 0)[found.indices]
    double = _looked_up(pairs, codes["ngrams"], 0)[pair_places]
    rows = np.concatenate([found.rows, pair_rows])
    ids["ngrams"] = _id_sets(rows, np.concatenate([single, double]), found.count, widths["ngrams"])
    if "characters" in widths:
        rows, ngrams = _character_ids(found, codes["characters"])
        ids["characters"] = _id_sets(rows, ngrams, found.count, widths["characters"])
    return ids


def _read(texts: Iterable[object]) -> _Tokens:
    """Text by text: all words of many long texts would take much more memory than their numbers."""
    indices: dict[str, int] = {}
    found, lengths = array("i"), array("i")
    for text in texts:
        each = (
            [indices.setdefault(token, len(indices)) for token in tokens(text)]
            if isinstance(text, str)
            else []
        )
        found.extend(each)
        lengths.append(len(each))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return _Tokens(list(indices), np.array(found, "int64"), rows, len(lengths))


def _pairs(found: _Tokens) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """In which text each pair of neighbors stands, its number, and the different pairs."""
    together = found.rows[:-1] == found.rows[1:]
    coded = (found.indices[:-1] * len(found.different) + found.indices[1:])[together]
    different, indices = np.unique(coded, return_inverse=True)
    words = found.different
    pairs = [f"{words[code // len(words)]} {words[code % len(words)]}" for code in different.tolist()]
    return found.rows[:-1][together], indices, pairs


def _character_ids(found: _Tokens, codes: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """In which text each known character n-gram stands, and its code."""
    rows, indices = _distinct(found.rows, found.indices)
    of_words = [
        [codes[ngram] for ngram in character_ngrams(word) if ngram in codes] for word in found.different
    ]
    sizes = np.array([len(ngrams) for ngrams in of_words], "int64")
    ends = np.cumsum(sizes)
    every = np.array([code for ngrams in of_words for code in ngrams], "int64")
    counts = sizes[indices]
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(rows, counts), every[np.repeat((ends - sizes)[indices], counts) + steps]


def _pair_counts(found: _Tokens, known: set[str]) -> Iterable[tuple[str, int]]:
    """In how many texts each pair of two known words stands."""
    keep = np.array([word in known for word in found.different], bool)[found.indices]
    together = (found.rows[:-1] == found.rows[1:]) & keep[:-1] & keep[1:]
    size = len(found.different)
    coded = (found.indices[:-1] * size + found.indices[1:])[together]
    different, indices = np.unique(coded, return_inverse=True)
    counts = np.bincount(_distinct(found.rows[:-1][together], indices)[1], minlength=len(different))
    often = counts >= _LEAST
    for code, count in zip(different[often].tolist(), counts[often].tolist(), strict=True):
        yield f"{found.different[code // size]} {found.different[code % size]}", count


def _character_counts(found: _Tokens, in_texts: np.ndarray) -> Iterable[tuple[str, int]]:
    """About how many texts hold each character n-gram; nothing where most texts are long."""
    each = [character_ngrams(word) for word in found.different]
    sizes = np.array([len(ngrams) for ngrams in each], "int64")
    rows, indices = _distinct(found.rows, found.indices)
    totals = np.bincount(rows, weights=sizes[indices], minlength=max(found.count, 1))
    if np.quantile(totals, 0.9) > _SHORT:
        return ()
    counts: Counter[str] = Counter()
    for ngrams, count in zip(each, in_texts.tolist(), strict=True):
        for ngram in set(ngrams):
            counts[ngram] += count
    return counts.items()


def _frequent(counts: Iterable[tuple[str, int]], most: int) -> tuple[str, ...]:
    often = [(text, count) for text, count in counts if count >= _LEAST]
    return tuple(text for text, _ in sorted(often, key=lambda item: (-item[1], item[0]))[:most])


def _looked_up(texts: Sequence[str], codes: Mapping[str, int], otherwise: int) -> np.ndarray:
    return np.array([codes.get(text, otherwise) for text in texts], "int64")


def _distinct(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different pairs of a row and a value, ordered."""
    size = int(values.max(initial=0)) + 1
    found = np.unique(rows * size + values)
    return found // size, found % size


def _id_sets(rows: np.ndarray, ids: np.ndarray, count: int, width: int) -> np.ndarray:
    """The different ids of each row, ascending: what doesn't fit is what is rare."""
    known = ids > 0
    return _filled(*_distinct(rows[known], ids[known]), count, width)


def _filled(rows: np.ndarray, ids: np.ndarray, count: int, width: int) -> np.ndarray:
    """The ids of each row side by side, then zeros; `rows` ascend."""
    indices = np.arange(len(rows)) - np.searchsorted(rows, rows)
    matrix = np.zeros((count, width), "int32")
    fits = indices < width
    matrix[rows[fits], indices[fits]] = ids[fits]
    return matrix


def _room(ids: np.ndarray) -> int:
    """So many columns that nearly every text fits."""
    lengths = (ids > 0).sum(axis=1)
    return max(1, int(np.ceil(np.quantile(lengths, _ROOM)))) if len(lengths) else 1


BUCKETS = 8192  # of n-gram ids, so that every table's vectors have one size; rare ones share a bucket
WIDTH = 32
LEAST = 1e-9  # of a squared length: texts without a known n-gram are all zeros
_ROWS_LOOKED_AT = 4000  # more change little
_MORE, _ROUNDS = 8, 3  # directions that are followed beside those wanted, and how often
_WEAKEST = 1e-3  # of the singular values: weaker ones are noise


def fit_latent(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vectors and squares of the buckets, for `latent`.

    Deerwester et al. 1990, "Indexing by Latent Semantic Analysis": the truncated singular value decomposition
    of the rows' tf-idf (with presence for frequency, and rows of length one), scaled to a mean square of one.
    It is computed as Halko et al. 2011, arXiv:0909.4061, algorithm 4.4, have it.

    Args:
        ids: Of n-grams, 0 for none, shape (rows, width).

    Returns:
        float32 of shapes (BUCKETS, WIDTH) and (BUCKETS, 1).
    """
    some = ids[:: len(ids) // _ROWS_LOOKED_AT + 1]
    there = some > 0
    ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    incidence = sparse.csr_matrix((np.ones(ends[-1]), some[there] % BUCKETS, ends), (len(some), BUCKETS))
    known = np.asarray(incidence.sum(axis=0)).ravel()
    values = np.where(known > 0, np.log((1 + len(some)) / (1 + known)) + 1, 0.0)
    squares = values**2
    features = (
        sparse.diags(1 / np.sqrt(np.maximum(incidence @ squares, LEAST))) @ incidence @ sparse.diags(values)
    )
    found = np.random.default_rng(0).normal(size=(BUCKETS, WIDTH + _MORE))
    for _ in range(_ROUNDS):
        found = features.T @ (features @ np.linalg.qr(found)[0])
    found = np.linalg.qr(found)[0]
    _, strengths, turn = np.linalg.svd(features @ found, full_matrices=False)
    axes = np.zeros((BUCKETS, WIDTH))
    strong = int((strengths[:WIDTH] > _WEAKEST).sum())
    axes[:, :strong] = (found @ turn[:strong].T) * (np.sqrt(len(some)) / strengths[:strong])
    return (values[:, None] * axes).astype("float32"), squares[:, None].astype("float32")


def latent(ids: np.ndarray, vectors: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Texts as numbers, shape (rows, WIDTH), by what `fit_latent` found; ids as there."""
    found = np.zeros((len(ids), vectors.shape[1]), "float32")
    lengths = np.zeros((len(ids), 1), "float32")
    for column in ids.T:  # one at a time: all at once would take much memory
        there = np.flatnonzero(column)
        buckets = column[there] % BUCKETS
        found[there] += vectors[buckets]
        lengths[there] += squares[buckets]
    return found / np.sqrt(np.maximum(lengths, LEAST))
