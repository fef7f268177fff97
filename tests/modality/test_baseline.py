"""What networks have to beat."""

from __future__ import annotations

import numpy as np
import pytest

from composable.modality.trees import gradient_boosting
from composable.problem.problem import Head
from composable.problem.scores import constant_predictor, score

AMOUNT = Head("price", "regression", ("price",))
TWO = Head("sold", "binary", ("sold",), ("no", "yes"))
MANY = Head("make", "multiclass", ("make",), ("a", "b", "c", "never"))
LABELS = Head("tags", "multilabel", ("x", "y"), (0, 1))

random = np.random.default_rng(0)
X = random.normal(size=(200, 2)).astype("float32")
CODES = random.integers(0, 3, (200, 1)).astype("int32")
SIGN = (X[:, :1] > 0).astype(float)


def boosted(heads, targets, *, inputs=None, weights=None):
    inputs = inputs or {"numbers": X}
    return gradient_boosting(heads, inputs, targets, inputs, seed=0, weights=weights)


def test_the_constant_predictor_is_the_mean_and_the_shares():
    y = (np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]]), np.array([[0.0, 1.0], [1.0, 1.0]]))
    mean, shares, labels = constant_predictor((AMOUNT, MANY, LABELS), y, 2)
    assert mean.tolist() == [[2.0], [2.0]]
    assert shares.tolist() == [[0.5, 0.0, 0.5, 0.0]] * 2
    assert labels.tolist() == [[0.5, 1.0]] * 2


def test_every_kind_is_answered_in_its_shape_and_better_than_by_the_constant_predictor():
    heads = (AMOUNT, TWO, MANY, LABELS)
    targets = (X[:, :1].astype(float), SIGN, CODES.astype(float), np.hstack([SIGN, 1 - SIGN]))
    answers = boosted(heads, targets, inputs={"numbers": X, "categories": CODES})
    nothing = constant_predictor(heads, targets, len(X))
    assert [answer.shape for answer in answers] == [(200, head.width) for head in heads]
    for head, y, predicted, plain in zip(heads, targets, answers, nothing, strict=True):
        metric = "rmse" if head.kind == "regression" else "log_loss"
        assert score(metric, head, y, predicted) < 0.5 * score(metric, head, y, plain)


def test_a_class_without_training_rows_gets_no_probability():
    (answer,) = boosted((MANY,), (SIGN,))
    assert (answer[:, 2:] == 0).all()
    np.testing.assert_allclose(answer.sum(axis=1), 1)


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_training_rows_of_one_class_are_answered_with_it(only):
    (answer,) = boosted((TWO,), (np.full((200, 1), only),))
    assert (answer == only).all()


def test_more_categories_than_scikit_learn_takes_are_pooled():
    codes = np.arange(400, dtype="int32")[:, None]
    (answer,) = boosted((AMOUNT,), (codes.astype(float),), inputs={"categories": codes})
    assert np.isfinite(answer).all()


def test_weights_count():
    """Two contradicting halves: the heavy one wins."""
    y = np.concatenate([SIGN[:100], 1 - SIGN[:100]])
    inputs = {"numbers": np.concatenate([X[:100], X[:100]])}
    weights = np.repeat([1.0, 0.05], 100)
    (answer,) = boosted((TWO,), (y,), inputs=inputs, weights=weights)
    assert score("accuracy", TWO, SIGN[:100], answer[:100]) > 0.95


@pytest.mark.parametrize("second", [np.nan, 7.0], ids=["empty", "constant"])
def test_missing_values_and_a_column_without_information_are_no_obstacle(second):
    numbers = X.copy()
    numbers[::3, 0] = np.nan
    numbers[:, 1] = second
    (answer,) = boosted((TWO,), (SIGN,), inputs={"numbers": numbers})
    assert np.isfinite(answer).all()


def test_the_same_seed_gives_the_same_answers():
    first, second = (boosted((AMOUNT,), (SIGN,))[0] for _ in range(2))
    assert np.array_equal(first, second)
