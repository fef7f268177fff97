"""What candidates say about rows they did not learn from, and how it is scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from composable.data.split import Rotation, Split
from composable.problem.problem import Head, Problem
from composable.search.opinion import Judge, blend, covered, pool

Y = np.arange(9.0)
TWO = Head("sold", "binary", ("sold",), ("no", "yes"))


def test_every_row_gets_the_answer_of_the_rotation_that_did_not_learn_from_it(split, judge):
    def said(number):
        rotation = split.rotations[number]
        return (
            [np.full((len(rotation.validation), 1), number)],
            [np.full((len(rotation.test), 1), 10.0 + number)],
            [],
        )

    opinion = pool(judge.problem, split, range(3), 9, said)
    for number, rotation in enumerate(split.rotations):
        assert (opinion.validation[0][rotation.validation] == number).all()
        assert (opinion.test[0][rotation.test] == 10 + number).all()


def test_rows_that_no_rotation_predicted_are_not_covered(split, judge):
    opinion = pool(judge.problem, split, [1], 9, lambda number: ([np.ones((3, 1))], [np.ones((3, 1))], []))
    assert np.flatnonzero(covered(opinion.validation)).tolist() == split.rotations[1].validation.tolist()
    assert np.flatnonzero(covered(opinion.test)).tolist() == split.rotations[1].test.tolist()


def test_rows_predicted_more_than_once_are_averaged(judge):
    rows = np.array([0, 1])
    split = Split("column", (Rotation(np.array([2]), rows, np.array([3])),) * 2, 2, "")
    opinion = pool(
        judge.problem,
        split,
        range(2),
        4,
        lambda n: ([np.full((2, 1), n)], [np.full((1, 1), 2.0 * n)], [np.ones((5, 1)) * n]),
    )
    assert opinion.validation[0][rows, 0].tolist() == [0.5, 0.5]
    assert opinion.test[0][3, 0] == 1
    assert opinion.own_test[0][:, 0].tolist() == [0.5] * 5


def test_a_blend_is_the_weighted_average(opinion_of):
    mixed = blend([opinion_of(Y), opinion_of(Y + 4)], [0.75, 0.25])
    assert mixed.validation[0][:, 0].tolist() == (Y + 1).tolist()
    assert mixed.test[0][:, 0].tolist() == (Y + 1).tolist()
    assert mixed.own_test == []


def test_validation_rows_select_and_test_rows_do_not(judge, opinion_of):
    good, bad = opinion_of(Y + 1), opinion_of(Y + 2)
    mixed = replace(good, test=bad.test)
    assert judge.selection(mixed) == pytest.approx(1)
    assert judge.validation(mixed)["rmse"] == pytest.approx(1)
    assert judge.test(mixed)["rmse"] == pytest.approx(2)


def test_the_spread_is_over_rotations(judge, split, opinion_of):
    answers = Y.copy()
    for number, rotation in enumerate(split.rotations):
        answers[rotation.validation] += number
    assert judge.spread(opinion_of(answers)) == pytest.approx(1)


def test_one_rotation_has_no_spread(judge, split, opinion_of):
    alone = replace(judge, split=replace(split, needed=1))
    assert alone.spread(opinion_of(Y)) is None


def test_only_rotations_that_every_candidate_trains_are_compared(judge, split, opinion_of):
    answers = Y.copy()
    answers[np.setdiff1d(np.arange(9), split.rotations[0].validation)] += 50
    alone = replace(judge, split=replace(split, needed=1))
    assert alone.selection(opinion_of(answers)) == 0
    assert judge.selection(opinion_of(answers)) > 1


def test_the_persons_own_file_is_the_test(judge, opinion_of):
    own = replace(judge, own_targets=(np.zeros((4, 1)),))
    assert own.test(replace(opinion_of(Y), own_test=[np.full((4, 1), 3.0)]))["rmse"] == pytest.approx(3)


def test_without_test_rows_there_is_no_test_score(judge, opinion_of):
    rotations = tuple(Rotation(r.train, r.validation, np.array([], int)) for r in judge.split.rotations)
    assert replace(judge, split=replace(judge.split, rotations=rotations)).test(opinion_of(Y)) == {}


def test_answers_of_different_rotations_are_ranked_apart(judge, split, opinion_of):
    """Each rotation ranks perfectly, on a scale of its own."""
    y = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1.0])
    answers = y / 10
    for number, rotation in enumerate(split.rotations):
        answers[rotation.validation] += number / 4
    binary = replace(judge, problem=Problem((TWO,), "roc_auc"), targets=(y[:, None],))
    assert binary.selection(opinion_of(answers)) == 1


def test_heads_of_different_kinds_are_measured_by_the_reference(split):
    problem = Problem((Head("price", "regression", ("price",)), TWO), "relative_error")
    sold = (np.arange(9) % 2).astype(float)[:, None]
    judge = Judge(problem, split, (Y[:, None], sold))

    def pooled(*answers):
        def said(number):
            rotation = split.rotations[number]
            return [a[rotation.validation] for a in answers], [a[rotation.test] for a in answers], []

        return pool(problem, split, range(3), 9, said)

    nothing = pooled(np.full((9, 1), 4.0), np.full((9, 1), 0.5))
    judge = replace(judge, reference=nothing)
    assert judge.selection(nothing) == pytest.approx(1)
    assert judge.validation(nothing)["relative_error"] == pytest.approx(1)
    half = pooled((Y[:, None] + 4) / 2, np.full((9, 1), 0.5))
    assert judge.selection(half) == pytest.approx(0.75)
    assert judge.test(half)["relative_error"] == pytest.approx(0.75)
