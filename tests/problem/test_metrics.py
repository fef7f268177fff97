"""The metrics against scikit-learn, and what only ours do: several heads or models, rows of one class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from composable.problem.metrics import better, fitting, higher_is_better
from composable.problem.problem import Head, Problem
from composable.problem.scores import score, scores, selection_score

AMOUNT = Head("price", "regression", ("price",))
TWO = Head("sold", "binary", ("sold",), ("no", "yes"))
MANY = Head("make", "multiclass", ("make",), ("a", "b", "c"))
LABELS = Head("tags", "multilabel", ("x", "y"), (0, 1))

random = np.random.default_rng(0)
Y = random.normal(size=(200, 1))
AMOUNTS = Y + random.normal(size=(200, 1))
Y2 = random.integers(0, 2, (200, 1)).astype(float)
P2 = np.clip(0.25 + 0.5 * Y2 + random.normal(0, 0.3, (200, 1)), 0.01, 0.99)
Y3 = random.integers(0, 3, (200, 1)).astype(float)
P3 = random.dirichlet((1, 1, 1), 200) / 2 + np.eye(3)[Y3[:, 0].astype(int)] / 2 * random.random((200, 1))
P3 /= P3.sum(axis=1, keepdims=True)
ONE_HOT = np.eye(3)[Y3[:, 0].astype(int)]


@pytest.mark.parametrize(
    ("metric", "head", "y", "p", "expected"),
    [
        ("rmse", AMOUNT, Y, AMOUNTS, sk.root_mean_squared_error(Y, AMOUNTS)),
        ("mae", AMOUNT, Y, AMOUNTS, sk.mean_absolute_error(Y, AMOUNTS)),
        ("r2", AMOUNT, Y, AMOUNTS, sk.r2_score(Y, AMOUNTS)),
        ("roc_auc", TWO, Y2, P2, sk.roc_auc_score(Y2, P2)),
        ("log_loss", TWO, Y2, P2, sk.log_loss(Y2[:, 0], P2[:, 0])),
        ("accuracy", TWO, Y2, P2, sk.accuracy_score(Y2, P2 > 0.5)),
        ("average_precision", TWO, Y2, P2, sk.average_precision_score(Y2, P2)),
        ("log_loss", MANY, Y3, P3, sk.log_loss(Y3[:, 0], P3)),
        ("accuracy", MANY, Y3, P3, sk.accuracy_score(Y3, P3.argmax(axis=1))),
        ("roc_auc", MANY, Y3, P3, sk.roc_auc_score(Y3[:, 0], P3, multi_class="ovr")),
        ("average_precision", MANY, Y3, P3, sk.average_precision_score(ONE_HOT, P3)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_as_scikit_learn(metric, head, y, p, expected):
    assert score(metric, head, y, p) == pytest.approx(expected)


def test_labels_are_averaged():
    y, p = np.hstack([Y2, 1 - Y2]), np.hstack([P2, P2])
    each = [score("roc_auc", TWO, y[:, [i]], p[:, [i]]) for i in (0, 1)]
    assert score("roc_auc", LABELS, y, p) == pytest.approx(np.mean(each))


def test_a_label_that_every_row_has_is_left_out_of_ranking_metrics():
    y, p = np.hstack([Y2, np.ones_like(Y2)]), np.hstack([P2, P2])
    assert score("roc_auc", LABELS, y, p) == pytest.approx(score("roc_auc", TWO, Y2, P2))


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
@pytest.mark.parametrize(
    ("head", "y", "p"),
    [
        (TWO, np.zeros((5, 1)), P2[:5]),
        (MANY, np.zeros((5, 1)), P3[:5]),
        (LABELS, np.zeros((5, 2)), np.hstack([P2, P2])[:5]),
    ],
    ids=["two", "many", "labels"],
)
def test_d14_one_class_alone_has_no_ranking(metric, head, y, p):
    assert np.isnan(score(metric, head, y, p))
    assert np.isfinite(score("log_loss", head, y, p))


def test_without_rows_there_is_no_score():
    assert np.isnan(score("rmse", AMOUNT, Y[:0], AMOUNTS[:0]))


def test_certain_and_wrong_is_bad_but_finite():
    assert 10 < score("log_loss", TWO, np.ones((3, 1)), np.zeros((3, 1))) < 20
    assert 10 < score("log_loss", MANY, np.zeros((3, 1)), np.eye(3)[[1, 1, 1]]) < 20


def test_ranks_are_compared_within_the_rows_of_one_model():
    """Two models that each rank perfectly, the second on another scale."""
    y = np.array([[0.0], [1.0], [0.0], [1.0]])
    p = np.array([[0.1], [0.2], [0.8], [0.9]])
    parts = (np.array([0, 1]), np.array([2, 3]))
    assert score("roc_auc", TWO, y, p) < 1
    assert score("roc_auc", TWO, y, p, parts) == 1
    assert score("log_loss", TWO, y, p, parts) == score("log_loss", TWO, y, p)


def test_parts_count_by_their_rows_and_those_of_one_class_are_left_out():
    y = np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [1.0]])
    p = np.array([[0.1], [0.2], [0.3], [0.9], [0.1], [0.5]])
    good, wrong = np.array([0, 1, 2]), np.array([3, 4])
    assert score("roc_auc", TWO, y, p, (good, wrong)) == pytest.approx(3 / 5)
    assert score("roc_auc", TWO, y, p, (good, wrong, np.array([5]))) == pytest.approx(3 / 5)


def test_parts_that_all_hold_one_class_are_put_together():
    y, p = np.array([[0.0], [1.0]]), np.array([[0.2], [0.6]])
    assert score("roc_auc", TWO, y, p, (np.array([0]), np.array([1]))) == 1


def test_one_head_has_every_metric_of_its_kind():
    assert set(scores(Problem((MANY,), "log_loss"), [Y3], [P3])) == set(fitting("multiclass"))


def test_several_heads_have_the_means_they_share_and_their_own():
    problem = Problem((TWO, MANY), "log_loss")
    found = scores(problem, [Y2, Y3], [P2, P3])
    assert found["log_loss"] == pytest.approx((found["sold/log_loss"] + found["make/log_loss"]) / 2)
    mixed = scores(Problem((AMOUNT, TWO), "relative_error"), [Y, Y2], [AMOUNTS, P2])
    assert "rmse" not in mixed
    assert {"price/rmse", "sold/roc_auc"} < set(mixed)


def test_heads_of_different_kinds_are_measured_by_the_constant_predictor():
    problem = Problem((AMOUNT, TWO), "relative_error")
    nothing = [np.full((200, 1), Y.mean()), np.full((200, 1), Y2.mean())]
    assert selection_score(problem, [Y, Y2], nothing, nothing) == pytest.approx(1)
    half = [(Y + nothing[0]) / 2, nothing[1]]
    assert selection_score(problem, [Y, Y2], half, nothing) == pytest.approx(0.75)


def test_the_selection_averages_the_metric_over_heads():
    problem = Problem((TWO, MANY), "accuracy")
    expected = (score("accuracy", TWO, Y2, P2) + score("accuracy", MANY, Y3, P3)) / 2
    assert selection_score(problem, [Y2, Y3], [P2, P3], []) == pytest.approx(expected)


def test_directions():
    assert [
        m for m in ("rmse", "mae", "log_loss", "relative_error", "roc_auc", "r2") if higher_is_better(m)
    ] == [
        "roc_auc",
        "r2",
    ]
    assert better("rmse", 1, 2)
    assert better("roc_auc", 2, 1)
    assert not better("rmse", 1, 1)


def test_a_score_beats_none_and_none_beats_nothing():
    nan = float("nan")
    assert better("rmse", 1, nan)
    assert not better("rmse", nan, 1)
    assert not better("rmse", nan, nan)
