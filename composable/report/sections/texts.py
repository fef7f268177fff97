"""Which words decide what a model of texts predicts, and the worst errors with those words marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.report.facts import Facts
from composable.report.reading import number, objects, sequence, shortened, text
from composable.report.section import Section
from composable.report.words import counted, figure, percent

ANSWERS, NGRAMS, ERRORS, COLUMNS, PIECES = 24, 12, 24, 6, 400  # shown at most
_SHADES = 3  # of a mark
_LEAST = 0.1  # of the strongest word's weight: what decides less isn't marked


@dataclass(frozen=True)
class Piece:
    """Part of a text, and the class of its mark: "for3" (strongly for the prediction), "against1", or ""."""

    text: str
    mark: str


@dataclass(frozen=True)
class Mistaken:
    """An error: what was predicted and observed, and each column's name with its text in pieces."""

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
    "weights": "What each word, pair of words or character n-gram adds to the logits of the strongest "
    "member of the deployed model, which is linear, in the held-out rows that contain it.",
    "occlusion": "How the predictions change when a word is left out of the held-out rows that contain it.",
}


def texts(facts: Facts) -> Texts | None:
    """The section of a model that reads texts; None for others."""
    found = facts.file("texts")
    if not found:
        return None
    answers = objects(found.get("words"))
    several = len({text(ngram.get("column")) for one in answers for ngram in objects(one.get("ngrams"))}) > 1
    shown = [
        (
            shortened(text(one.get("answer")), 40),
            tuple(_ngram(ngram, several=several) for ngram in objects(one.get("ngrams"))[:NGRAMS]),
        )
        for one in answers[:ANSWERS]
    ]
    return Texts(
        _HOW.get(text(found.get("how")), ""),
        tuple((answer, ngrams) for answer, ngrams in shown if ngrams),
        max(0, len(answers) - ANSWERS),
        tuple(_error(entry) for entry in objects(found.get("errors"))[:ERRORS]),
    )


def _ngram(ngram: Mapping[str, Any], *, several: bool) -> tuple[str, str]:
    """How it is written, and what it does."""
    written = text(ngram.get("text"), 60)
    if ngram.get("kind") == "characters":
        raw = ngram.get("text")
        blanks = raw if isinstance(raw, str) else ""
        written = ("" if blanks.startswith(" ") else "…") + written + ("" if blanks.endswith(" ") else "…")
    column = f" in {text(ngram.get('column'), 40)}" if several else ""
    effect, rows = number(ngram.get("effect")), number(ngram.get("rows"))
    return written, f"{figure(effect, 2)}{column}, {counted(int(rows or 0), 'row')}"


def _error(entry: Mapping[str, Any]) -> Mistaken:
    chance = number(entry.get("probability"))
    sure = f" ({percent(chance)})" if chance is not None else ""
    title = f"predicted {_value(entry.get('predicted'))}{sure}, observed {_value(entry.get('observed'))}"
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


SECTION = Section("texts", "Words", texts)
