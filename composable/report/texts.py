"""Which words decide what a model of texts says, and the most confident errors with them marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.facts import Facts
from composable.report.reading import number, objects, sequence, shortened, text
from composable.report.words import counted, figure, percent

ANSWERS, GRAMS, ERRORS, COLUMNS, PIECES = 24, 12, 24, 6, 400  # shown at most
_SHADES = 3  # of a mark
_LEAST = 0.1  # of the strongest word's weight: what decides less isn't marked


@dataclass(frozen=True)
class Piece:
    """Part of a text, and the class of its mark: "for3" (strongly for what was said), "against1", or ""."""

    text: str
    mark: str


@dataclass(frozen=True)
class Mistaken:
    """An error: what was said and what it is, and each column's name with its text in pieces."""

    title: str
    texts: tuple[tuple[str, tuple[Piece, ...]], ...]


@dataclass(frozen=True)
class Texts:
    """The section.

    Attributes:
        how: How the words' effects were found.
        answers: Each answer with its n-grams: how it is written, and a note of its effect.
        left_out: How many answers more there are.
        errors: The most confident ones.
    """

    how: str
    answers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    left_out: int
    errors: tuple[Mistaken, ...]


_HOW = {
    "weights": "What each word, pair of words or character n-gram adds to the logits, where it stands in "
    "held-out rows, in the strongest member of the deployed model, a linear one.",
    "occlusion": "How the answers change where a word is left out, over some held-out rows that hold it.",
}


def texts(facts: Facts) -> Texts | None:
    """The section of a model that reads texts; None for others."""
    found = facts.texts
    if not found:
        return None
    answers = objects(found.get("words"))
    several = len({text(gram.get("column")) for one in answers for gram in objects(one.get("ngrams"))}) > 1
    shown = [
        (
            shortened(text(one.get("answer")), 40),
            tuple(_gram(gram, several=several) for gram in objects(one.get("ngrams"))[:GRAMS]),
        )
        for one in answers[:ANSWERS]
    ]
    return Texts(
        _HOW.get(text(found.get("how")), ""),
        tuple((answer, grams) for answer, grams in shown if grams),
        max(0, len(answers) - ANSWERS),
        tuple(_error(entry) for entry in objects(found.get("errors"))[:ERRORS]),
    )


def _gram(gram: Mapping[str, Any], *, several: bool) -> tuple[str, str]:
    """How it is written, and what it does."""
    said = text(gram.get("text"), 60)
    if gram.get("kind") == "characters":
        raw = gram.get("text")
        blanks = raw if isinstance(raw, str) else ""
        said = ("" if blanks.startswith(" ") else "…") + said + ("" if blanks.endswith(" ") else "…")
    column = f" in {text(gram.get('column'), 40)}" if several else ""
    effect, rows = number(gram.get("effect")), number(gram.get("rows"))
    return said, f"{figure(effect, 2)}{column}, {counted(int(rows or 0), 'row')}"


def _error(entry: Mapping[str, Any]) -> Mistaken:
    chance = number(entry.get("probability"))
    sure = f" ({percent(chance)})" if chance is not None else ""
    title = f"{_value(entry.get('predicted'))}{sure}, is {_value(entry.get('observed'))}"
    columns = objects(entry.get("texts"))[:COLUMNS]
    names = [text(one.get("column"), 60) if len(columns) > 1 else "" for one in columns]
    return Mistaken(title, tuple(zip(names, map(_pieces, columns), strict=True)))


def _pieces(column: Mapping[str, Any]) -> tuple[Piece, ...]:
    found = []
    for pair in sequence(column.get("pieces"))[:PIECES]:
        piece, weight = pair if isinstance(pair, list) and len(pair) == 2 else ("", 0.0)
        words = text(piece) or (" " if isinstance(piece, str) and piece else "")
        found.append(Piece(words, _mark(number(weight) or 0.0)))
    if column.get("complete") is False or len(sequence(column.get("pieces"))) > PIECES:
        found.append(Piece(" …", ""))
    return tuple(found)


def _mark(weight: float) -> str:
    if abs(weight) < _LEAST:
        return ""
    shade = min(_SHADES, 1 + int(abs(weight) * _SHADES))
    return f"{'for' if weight > 0 else 'against'}{shade}"


def _value(value: object) -> str:
    found = number(value)
    return figure(found) if found is not None else shortened(text(value), 40)
