"""Losses per row against NumPy; members (TabM) are averaged after the loss."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from composable.engine.objective import (
    Goal,
    absolute_error,
    binary_cross_entropy,
    categorical_cross_entropy,
    labeled,
    squared_error,
)

ROWS, MEMBERS, CLASSES = 6, 4, 3
random = np.random.default_rng(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def crossed(y, x):
    return -(y * np.log(sigmoid(x)) + (1 - y) * np.log(1 - sigmoid(x))).mean(axis=-1)


def chosen(y, x):
    return -np.take_along_axis(log_softmax(x), y.astype(int), axis=-1)[..., 0]


CASES = pytest.mark.parametrize(
    ("loss", "expected", "y", "width"),
    [
        (squared_error, lambda y, x: ((x - y) ** 2)[..., 0], random.normal(size=(ROWS, 1)), 1),
        (absolute_error, lambda y, x: np.abs(x - y)[..., 0], random.normal(size=(ROWS, 1)), 1),
        (binary_cross_entropy, crossed, random.integers(0, 2, (ROWS, 1)), 1),
        (binary_cross_entropy, crossed, random.integers(0, 2, (ROWS, 5)), 5),
        (categorical_cross_entropy, chosen, random.integers(0, CLASSES, (ROWS, 1)), CLASSES),
    ],
    ids=["squared", "absolute", "binary", "labels", "classes"],
)


@CASES
def test_one_loss_per_row(loss, expected, y, width):
    logits = random.normal(0, 3, (ROWS, width)).astype("float32")
    found = ops.convert_to_numpy(loss(y.astype("float32"), ops.convert_to_tensor(logits)))
    np.testing.assert_allclose(found, expected(y, logits), rtol=1e-5, atol=1e-6)


@CASES
def test_members_are_averaged_after_the_loss(loss, expected, y, width):
    logits = random.normal(0, 3, (ROWS, MEMBERS, width)).astype("float32")
    found = ops.convert_to_numpy(loss(y.astype("float32"), ops.convert_to_tensor(logits)))
    each = np.stack([expected(y, logits[:, member]) for member in range(MEMBERS)])
    np.testing.assert_allclose(found, each.mean(axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "y", "logits"),
    [
        (binary_cross_entropy, [[0.0], [1.0]], [[1e4], [-1e4]]),
        (categorical_cross_entropy, [[0.0], [1.0]], [[-1e4, 1e4, 0], [1e4, -1e4, 0]]),
    ],
    ids=["binary", "classes"],
)
def test_certain_and_wrong_is_finite(loss, y, logits):
    found = ops.convert_to_numpy(
        loss(np.array(y, "float32"), ops.convert_to_tensor(np.array(logits, "float32")))
    )
    assert np.isfinite(found).all()
    assert (found > 1000).all()


def test_labels_that_a_row_lacks_do_not_count():
    y, logits = random.integers(0, 2, (ROWS, 5)).astype("float32"), random.normal(0, 3, (ROWS, 5))
    y[:, 3:], known = np.nan, np.s_[:, :3]
    found = ops.convert_to_numpy(binary_cross_entropy(y, ops.convert_to_tensor(logits.astype("float32"))))
    np.testing.assert_allclose(found, crossed(y[known], logits[known]), rtol=1e-5, atol=1e-6)


def test_a_partial_goal_counts_rows_that_have_some_of_their_labels():
    y = np.array([[1.0, np.nan], [np.nan, np.nan], [0.0, 1.0]], "float32")
    for partial, expected in ((True, [1, 0, 1]), (False, [0, 0, 1])):
        known, filled = labeled(Goal(binary_cross_entropy, binary_cross_entropy, partial=partial), y)
        assert ops.convert_to_numpy(known).tolist() == expected
        assert np.isfinite(ops.convert_to_numpy(filled)[1]).all()
