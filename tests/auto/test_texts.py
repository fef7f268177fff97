"""Which words decide: by leaving them out of any model's texts, and by the weights of a linear one."""

import numpy as np
import pandas as pd
import pytest

from composable.auto.deciding import Effects, Gram, deciding
from composable.auto.texts import texts
from composable.auto.words_left_out import LETTERS, PIECES, HeldTexts, pieces_of
from composable.core.budget import Deadline
from composable.problem.problem import Head

BINARY = Head("y", "binary", ("y",), ("ham", "spam"))
NUMBER = Head("y", "regression", ("y",))
CELLS = ["Free money now", "see you\tnow", "", None, "無料 お金", "free " * 2000]


def held(head):
    """Rows of which a model was wrong about every one, read by how often they say free."""
    cells = pd.DataFrame({"t": pd.Series(CELLS, dtype="str")})

    def encode(asked):
        return {
            "frees": np.array([[t.lower().count("free") if isinstance(t, str) else 0] for t in asked["t"]])
        }

    said = answer(head)(encode(cells))
    wrong = [1 - (one > 0.5) if head.labels else one + 1000 for one in said]
    return HeldTexts(encode(cells), wrong, said, cells, encode)


def answer(head):
    def ask(inputs):
        scores = np.minimum(4.0 * inputs["frees"], 8.0) - 2.0
        return [1 / (1 + np.exp(-scores)) if head.labels else scores]

    return ask


@pytest.mark.parametrize("head", [BINARY, NUMBER], ids=["classes", "a number"])
def test_leaving_a_word_out_shows_what_it_did(head):
    found = texts(answer(head), head, held(head), weighed=None, seed=0, deadline=Deadline())
    by_answer = {one["answer"]: [gram["text"] for gram in one["grams"]] for one in found["words"]}
    assert by_answer == ({"spam": ["free"], "ham": []} if head.labels else {"higher": ["free"], "lower": []})
    assert found["how"] == "leaving out"
    assert len(found["errors"]) == len(CELLS)
    error = next(
        e for e in found["errors"] if e["texts"][0]["pieces"][:1] and "Free" in e["texts"][0]["pieces"][0]
    )
    weight = 1.0 if head.labels else -1.0  # too low a number is what was said: the word spoke against it
    assert error["texts"][0]["pieces"] == [
        ("Free", weight),
        (" ", 0.0),
        ("money", 0.0),
        (" ", 0.0),
        ("now", 0.0),
    ]


def test_texts_are_shown_as_they_were_written_and_long_ones_cut():
    found = texts(answer(BINARY), BINARY, held(BINARY), weighed=None, seed=0, deadline=Deadline())
    shown = {
        "".join(piece for piece, _ in e["texts"][0]["pieces"]): e["texts"][0]["whole"]
        for e in found["errors"]
    }
    assert shown == {(cell or "")[:LETTERS]: len(cell or "") <= LETTERS for cell in CELLS}


def test_without_time_errors_are_shown_unmarked():
    found = texts(answer(BINARY), BINARY, held(BINARY), weighed=None, seed=0, deadline=Deadline(0.0))
    assert found["words"] == []
    assert {w for e in found["errors"] for _, w in e["texts"][0]["pieces"]} == {0.0}


def test_a_text_has_no_more_pieces_than_are_left_out():
    assert pieces_of("") == []
    assert pieces_of("a b") == [(0, 1), (2, 3)]
    spans = pieces_of("word " * 1000)
    assert len(spans) <= PIECES
    assert spans[0][0] == 0
    assert spans[-1][1] == 4999


def test_of_many_classes_what_adds_to_all_scores_alike_decides_nothing():
    head = Head("y", "multiclass", ("y",), ("a", "b", "c"))
    grams = [Gram("t", "words", text) for text in ("common", "of a", "once")]
    totals = np.array([[5.0, 5.0, 5.0], [6.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    found = deciding(head, Effects(grams, totals, np.array([10.0, 4.0, 1.0])))
    assert [[gram["text"] for gram in one["grams"]] for one in found] == [["of a"], [], []]
    assert found[0]["grams"][0]["rows"] == 4
    assert found[0]["grams"][0]["effect"] == pytest.approx(1.0)
