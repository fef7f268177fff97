"""The metrics against scikit-learn, and what only ours do: several heads or models, rows of one class."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn import metrics as sk

from composable.core.errors import ConfigError
from composable.problem.metrics import better, fitting, higher_is_better, metric_named
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
def test_one_class_alone_has_no_ranking(metric, head, y, p):
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


@pytest.mark.parametrize(
    ("metric", "head", "y", "p", "expected"),
    [
        ("rmsle", AMOUNT, np.abs(Y), np.abs(AMOUNTS), sk.root_mean_squared_log_error(abs(Y), abs(AMOUNTS))),
        ("mape", AMOUNT, Y, AMOUNTS, sk.mean_absolute_percentage_error(Y, AMOUNTS)),
        ("quantile:0.9", AMOUNT, Y, AMOUNTS, sk.mean_pinball_loss(Y, AMOUNTS, alpha=0.9)),
        ("f1", TWO, Y2, P2, sk.f1_score(Y2, P2 >= 0.5)),
        ("balanced_accuracy", TWO, Y2, P2, sk.balanced_accuracy_score(Y2[:, 0], P2[:, 0] >= 0.5)),
        ("mcc", TWO, Y2, P2, sk.matthews_corrcoef(Y2, P2 >= 0.5)),
        ("brier", TWO, Y2, P2, sk.brier_score_loss(Y2, P2)),
        ("f1", MANY, Y3, P3, sk.f1_score(Y3, P3.argmax(axis=1), average="macro")),
        ("balanced_accuracy", MANY, Y3, P3, sk.balanced_accuracy_score(Y3[:, 0], P3.argmax(axis=1))),
        ("mcc", MANY, Y3, P3, sk.matthews_corrcoef(Y3, P3.argmax(axis=1))),
        ("brier", MANY, Y3, P3, ((P3 - ONE_HOT) ** 2).sum(axis=1).mean() / 2),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metrics_of_daily_use_as_scikit_learn(metric, head, y, p, expected):
    assert score(metric, head, y, p) == pytest.approx(expected)


@pytest.mark.parametrize("metric", fitting("binary"))
def test_two_classes_are_weighted_as_scikit_learn_weights_them(metric):
    weights = np.random.default_rng(1).random(200)
    functions = {
        "roc_auc": sk.roc_auc_score, "log_loss": sk.log_loss, "brier": sk.brier_score_loss,
        "average_precision": sk.average_precision_score, "accuracy": sk.accuracy_score, "f1": sk.f1_score,
        "balanced_accuracy": sk.balanced_accuracy_score, "mcc": sk.matthews_corrcoef,
    }  # fmt: skip
    p = P2[:, 0] >= 0.5 if metric in ("accuracy", "f1", "balanced_accuracy", "mcc") else P2[:, 0]
    expected = functions[metric](Y2[:, 0], p, sample_weight=weights)
    assert score(metric, TWO, Y2, P2, weights=weights) == pytest.approx(expected)


def test_decisions_follow_the_threshold_of_the_head():
    strict = Head("sold", "binary", ("sold",), ("no", "yes"), thresholds=(0.8,))
    assert score("f1", strict, Y2, P2) == pytest.approx(sk.f1_score(Y2, P2 >= 0.8))
    assert score("log_loss", strict, Y2, P2) == score("log_loss", TWO, Y2, P2)


def test_what_a_metric_is_not_defined_for_is_none():
    assert np.isnan(score("rmsle", AMOUNT, Y - 10, AMOUNTS))
    assert np.isnan(score("mape", AMOUNT, Y * 0, AMOUNTS))


@pytest.mark.parametrize("name", ["quantile:2", "quantile:", "quantile:much", "rmze", "no_such_module:loss"])
def test_a_metric_that_there_is_not_is_refused(name):
    with pytest.raises(ConfigError):
        metric_named(name)


OWN = """
def profit_score(y, p):
    return float(((p >= 0.5) == y).sum())
def cost(y, p, sample_weight=None):
    return (abs(y - p) * (1 if sample_weight is None else sample_weight)).sum()
cost.higher_is_better = False
def silent(y, p):
    return 1.0
def text_score(y, p):
    return "good"
def broken_score(y, p):
    raise RuntimeError("no")
constant_score = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of metrics in the current folder."""
    (tmp_path / "own_metrics.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    yield "own_metrics"
    sys.modules.pop("own_metrics", None)
    metric_named.cache_clear()


def test_a_metric_of_ones_own_is_called_with_class_numbers_and_probabilities(own):
    assert score(f"{own}:profit_score", TWO, Y2, P2) == ((P2 >= 0.5) == Y2).sum()
    assert higher_is_better(f"{own}:profit_score")
    weights = np.arange(200.0)
    assert score(f"{own}:cost", AMOUNT, Y, AMOUNTS, weights=weights) == pytest.approx(
        (np.abs(Y - AMOUNTS)[:, 0] * weights).sum()
    )
    assert not higher_is_better(f"{own}:cost")
    found = scores(Problem((TWO,), f"{own}:profit_score"), [Y2], [P2])
    assert set(found) == {f"{own}:profit_score", *fitting("binary")}


@pytest.mark.parametrize("name", ["silent", "missing", "constant_score"])
def test_a_metric_of_ones_own_that_is_no_function_or_has_no_direction_is_refused(own, name):
    with pytest.raises(ConfigError):
        metric_named(f"{own}:{name}")


@pytest.mark.parametrize(
    ("name", "message"), [("text_score", "'good'"), ("broken_score", "RuntimeError: no")]
)
def test_a_metric_of_ones_own_that_raises_or_returns_text_is_named(own, name, message):
    with pytest.raises(ConfigError, match=message) as refused:
        score(f"{own}:{name}", TWO, Y2, P2)
    assert name in str(refused.value)
