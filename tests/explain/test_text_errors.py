"""Which words decide: by leaving them out of any model's texts, and by the weights of a linear one."""

import numpy as np
import pandas as pd
import pytest

from composable.core.budget import Deadline
from composable.explain.ngram_effects import Effects, Ngram, strongest
from composable.explain.text_errors import LETTERS, PIECES, TextRows, marked_errors, pieces_of, word_effects
from composable.problem.problem import Head

BINARY = Head("y", "binary", ("y",), ("ham", "spam"))
NUMBER = Head("y", "regression", ("y",))
CELLS = ["Free money now", "see you\tnow", "", None, "無料 お金", "free " * 2000]


def encode(cells):
    """Texts read by how often they say free."""
    return {"frees": np.array([[t.lower().count("free") if isinstance(t, str) else 0] for t in cells["t"]])}


def text_rows():
    cells = pd.DataFrame({"t": pd.Series(CELLS, dtype="str")})
    return TextRows(encode(cells), cells, encode)


def predicting(head):
    def predict(inputs):
        scores = np.minimum(4.0 * inputs["frees"], 8.0) - 2.0
        return [1 / (1 + np.exp(-scores)) if head.labels else scores]

    return predict


def all_wrong(head, *, seconds=np.inf):
    """The errors of a model that was wrong about every row."""
    predict, rows = predicting(head), text_rows()
    (predicted,) = predict(rows.inputs)
    observed = 1 - (predicted > 0.5) if head.labels else predicted + 1000
    return marked_errors(predict, head, rows, observed, predicted, deadline=Deadline(seconds))


@pytest.mark.parametrize("head", [BINARY, NUMBER], ids=["classes", "a number"])
def test_leaving_a_word_out_shows_what_it_did(head):
    effects = word_effects(predicting(head), head, text_rows(), most=300, seed=0, deadline=Deadline())
    by_answer = {
        one["answer"]: [ngram["text"] for ngram in one["ngrams"]] for one in strongest(head, effects)
    }
    assert by_answer == ({"spam": ["free"], "ham": []} if head.labels else {"higher": ["free"], "lower": []})
    errors = all_wrong(head)
    assert len(errors) == len(CELLS)
    error = next(e for e in errors if e["texts"][0]["pieces"][:1] and "Free" in e["texts"][0]["pieces"][0])
    weight = 1.0 if head.labels else -1.0  # too low a number is predicted: the word spoke against it
    assert error["texts"][0]["pieces"] == [
        ("Free", weight),
        (" ", 0.0),
        ("money", 0.0),
        (" ", 0.0),
        ("now", 0.0),
    ]


def test_texts_are_shown_as_they_were_written_and_long_ones_cut():
    shown = {
        "".join(piece for piece, _ in e["texts"][0]["pieces"]): e["texts"][0]["complete"]
        for e in all_wrong(BINARY)
    }
    assert shown == {(cell or "")[:LETTERS]: len(cell or "") <= LETTERS for cell in CELLS}


def test_without_time_errors_are_shown_unmarked():
    effects = word_effects(predicting(BINARY), BINARY, text_rows(), most=300, seed=0, deadline=Deadline(0.0))
    assert strongest(BINARY, effects) == []
    assert {w for e in all_wrong(BINARY, seconds=0.0) for _, w in e["texts"][0]["pieces"]} == {0.0}


def test_a_text_has_no_more_pieces_than_are_left_out():
    assert pieces_of("") == []
    assert pieces_of("a b") == [(0, 1), (2, 3)]
    spans = pieces_of("word " * 1000)
    assert len(spans) <= PIECES
    assert spans[0][0] == 0
    assert spans[-1][1] == 4999


def test_of_many_classes_what_adds_to_all_scores_alike_decides_nothing():
    head = Head("y", "multiclass", ("y",), ("a", "b", "c"))
    ngrams = [Ngram("t", "words", text) for text in ("common", "of a", "once")]
    totals = np.array([[5.0, 5.0, 5.0], [6.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
    found = strongest(head, Effects(ngrams, totals, np.array([10.0, 4.0, 1.0])))
    assert [[ngram["text"] for ngram in one["ngrams"]] for one in found] == [["of a"], [], []]
    assert found[0]["ngrams"][0]["rows"] == 4
    assert found[0]["ngrams"][0]["effect"] == pytest.approx(1.0)
