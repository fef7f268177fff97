"""What candidates say about rows they did not learn from, and how it is scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from composable.data.split import Fold, Split
from composable.problem.problem import Head, Problem
from composable.search.predictions import Predictions, blend, covered, pool
from composable.search.scorer import Scorer
from composable.search.trial import Trial, is_better

Y = np.arange(9.0)
TWO = Head("sold", "binary", ("sold",), ("no", "yes"))


def test_every_row_gets_the_answer_of_the_fold_that_did_not_learn_from_it(split, scorer):
    def of_fold(number):
        fold = split.folds[number]
        return (
            [np.full((len(fold.held_out), 1), number)],
            [np.full((len(fold.test), 1), 10.0 + number)],
            [],
        )

    predictions = pool(scorer.problem, split, range(3), 9, of_fold)
    for number, fold in enumerate(split.folds):
        assert (predictions.out_of_fold[0][fold.held_out] == number).all()
        assert (predictions.test[0][fold.test] == 10 + number).all()


def test_rows_that_no_fold_predicted_are_not_covered(split, scorer):
    predictions = pool(
        scorer.problem, split, [1], 9, lambda number: ([np.ones((3, 1))], [np.ones((3, 1))], [])
    )
    assert np.flatnonzero(covered(predictions.out_of_fold)).tolist() == split.folds[1].held_out.tolist()
    assert np.flatnonzero(covered(predictions.test)).tolist() == split.folds[1].test.tolist()


def test_rows_predicted_more_than_once_are_averaged(scorer):
    rows = np.array([0, 1])
    split = Split("column", (Fold(np.array([2]), rows, np.array([3])),) * 2, 2, "")
    predictions = pool(
        scorer.problem,
        split,
        range(2),
        4,
        lambda n: ([np.full((2, 1), n)], [np.full((1, 1), 2.0 * n)], [np.ones((5, 1)) * n]),
    )
    assert predictions.out_of_fold[0][rows, 0].tolist() == [0.5, 0.5]
    assert predictions.test[0][3, 0] == 1
    assert predictions.own_test[0][:, 0].tolist() == [0.5] * 5


def test_a_blend_is_the_weighted_average(predictions_of):
    mixed = blend([predictions_of(Y), predictions_of(Y + 4)], [0.75, 0.25])
    assert mixed.out_of_fold[0][:, 0].tolist() == (Y + 1).tolist()
    assert mixed.test[0][:, 0].tolist() == (Y + 1).tolist()
    assert mixed.own_test == []


def test_validation_rows_select_and_test_rows_do_not(scorer, predictions_of):
    good, bad = predictions_of(Y + 1), predictions_of(Y + 2)
    mixed = replace(good, test=bad.test)
    assert scorer.selection(mixed) == pytest.approx(1)
    assert scorer.validation(mixed)["rmse"] == pytest.approx(1)
    assert scorer.test(mixed) == {}  # rows that the user didn't name are no result
    named = replace(scorer, split=replace(scorer.split, named_test=True))
    assert named.test(mixed)["rmse"] == pytest.approx(2)


def test_the_spread_is_over_folds(scorer, split, predictions_of):
    answers = Y.copy()
    for number, fold in enumerate(split.folds):
        answers[fold.held_out] += number
    assert scorer.spread(predictions_of(answers)) == pytest.approx(1)


def test_one_fold_has_no_spread(scorer, split, predictions_of):
    alone = replace(scorer, split=replace(split, scored_folds=1))
    assert alone.spread(predictions_of(Y)) is None


def test_only_folds_that_every_candidate_trains_are_compared(scorer, split, predictions_of):
    answers = Y.copy()
    answers[np.setdiff1d(np.arange(9), split.folds[0].held_out)] += 50
    alone = replace(scorer, split=replace(split, scored_folds=1))
    assert alone.selection(predictions_of(answers)) == 0
    assert scorer.selection(predictions_of(answers)) > 1


def test_the_persons_own_file_is_the_test(scorer, predictions_of):
    own = replace(scorer, own_targets=(np.zeros((4, 1)),))
    assert own.test(replace(predictions_of(Y), own_test=[np.full((4, 1), 3.0)]))["rmse"] == pytest.approx(3)


def test_without_test_rows_there_is_no_test_score(scorer, predictions_of):
    folds = tuple(Fold(r.train, r.held_out, np.array([], int)) for r in scorer.split.folds)
    assert replace(scorer, split=replace(scorer.split, folds=folds)).test(predictions_of(Y)) == {}


def test_answers_of_different_folds_are_ranked_apart(scorer, split, predictions_of):
    """Each fold ranks perfectly, on a scale of its own."""
    y = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1.0])
    answers = y / 10
    for number, fold in enumerate(split.folds):
        answers[fold.held_out] += number / 4
    binary = replace(scorer, problem=Problem((TWO,), "roc_auc"), targets=(y[:, None],))
    assert binary.selection(predictions_of(answers)) == 1


def test_heads_of_different_kinds_are_measured_by_the_reference(split):
    problem = Problem((Head("price", "regression", ("price",)), TWO), "relative_error")
    sold = (np.arange(9) % 2).astype(float)[:, None]
    scorer = Scorer(problem, replace(split, named_test=True), (Y[:, None], sold))

    def pooled(*answers):
        def of_fold(number):
            fold = split.folds[number]
            return [a[fold.held_out] for a in answers], [a[fold.test] for a in answers], []

        return pool(problem, split, range(3), 9, of_fold)

    nothing = pooled(np.full((9, 1), 4.0), np.full((9, 1), 0.5))
    scorer = replace(scorer, constant=nothing)
    assert scorer.selection(nothing) == pytest.approx(1)
    assert scorer.validation(nothing)["relative_error"] == pytest.approx(1)
    half = pooled((Y[:, None] + 4) / 2, np.full((9, 1), 0.5))
    assert scorer.selection(half) == pytest.approx(0.75)
    assert scorer.test(half)["relative_error"] == pytest.approx(0.75)


@pytest.mark.parametrize(("sure", "expected"), [(0.9, True), (0.6, False), (0.7, False)])
def test_of_two_trials_with_the_same_accuracy_the_surer_one_is_better(sure, expected):
    rows = np.arange(6)
    split = Split("random", (Fold(rows[:0], rows, rows[:0]),), 1, "")
    observed = (rows % 2).astype("float32")[:, None]
    scorer = Scorer(Problem((TWO,), "accuracy"), split, [observed])

    def trial(sure):
        answers = np.where(observed > 0.5, sure, 1 - sure)
        found = Trial(0, Path(), "some", "network")
        found.predictions = Predictions([answers], [answers], [])
        found.score = scorer.selection(found.predictions)
        return found

    assert trial(sure).score == trial(0.7).score == 1.0
    assert is_better(trial(sure), trial(0.7), scorer) is expected
