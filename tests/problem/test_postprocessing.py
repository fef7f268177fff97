"""From logits to answers, in NumPy and in the deployed graph alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from keras import ops

from composable.problem.kinds import kind_of
from composable.problem.kinds.regression import REGRESSION
from composable.problem.postprocessing import PostProcessing, postprocess, with_temperature
from composable.problem.problem import Head

AMOUNT = Head("price", "regression", ("price",))
TWO = Head("sold", "binary", ("sold",), ("no", "yes"))
MANY = Head("make", "multiclass", ("make",), ("a", "b", "c"))
LABELS = Head("tags", "multilabel", ("x", "y"), (0, 1))
LOGITS = np.random.default_rng(0).normal(0, 5, (7, 4, 3)).astype("float32")


def width(head, logits):
    return logits[..., : head.width]


@pytest.mark.parametrize("members", [False, True], ids=["alone", "members"])
@pytest.mark.parametrize("head", [AMOUNT, TWO, MANY, LABELS], ids=lambda head: head.kind)
def test_numpy_and_the_graph_give_the_same(head, members):
    logits = width(head, LOGITS if members else LOGITS[:, 0])
    step = PostProcessing(
        kind_of(head).activation, temperature=1.7, scale=3.0, offset=-1.0, low=-4.0, high=9.0
    )
    ours = postprocess(np, step, logits)
    graph = ops.convert_to_numpy(postprocess(ops, step, ops.convert_to_tensor(logits)))
    assert ours.shape == (7, head.width)
    np.testing.assert_allclose(ours, graph, atol=1e-6)


def test_classes_share_the_probability_and_a_temperature_above_one_doubts():
    sure = postprocess(np, PostProcessing("softmax"), LOGITS[:, 0])
    doubtful = postprocess(np, with_temperature(PostProcessing("softmax"), 3.0), LOGITS[:, 0])
    np.testing.assert_allclose(sure.sum(axis=1), 1, rtol=1e-6)
    assert (doubtful.max(axis=1) < sure.max(axis=1)).all()
    assert (doubtful.argmax(axis=1) == sure.argmax(axis=1)).all()


def test_the_probabilities_of_members_are_averaged_not_their_logits():
    logits = np.array([[[-8.0], [2.0]]])
    expected = (1 / (1 + math.exp(8)) + 1 / (1 + math.exp(-2))) / 2
    assert postprocess(np, PostProcessing("sigmoid"), logits) == pytest.approx(expected)


@pytest.mark.parametrize("head", [TWO, MANY, LABELS], ids=lambda head: head.kind)
def test_huge_logits_stay_finite(head):
    step = PostProcessing(kind_of(head).activation)
    with np.errstate(over="raise", invalid="raise"):
        answers = postprocess(np, step, width(head, np.array([[1e30, -1e30, 0.0]])))
    assert np.isfinite(answers).all()


def test_a_regression_learns_standardized_targets_and_answers_in_their_unit():
    y = np.array([[10.0], [20.0], [60.0]])
    step = REGRESSION.fit_postprocessing(y)
    learned = REGRESSION.training_targets(step, y)
    assert learned.dtype == "float32"
    assert (learned.mean(), learned.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1))
    np.testing.assert_allclose(postprocess(np, step, learned), y, rtol=1e-6)


def test_a_regression_stays_in_the_range_of_the_training_targets():
    step = REGRESSION.fit_postprocessing(np.array([[10.0], [20.0]]))
    assert postprocess(np, step, np.array([[-99.0], [99.0]])).tolist() == [[10.0], [20.0]]


def test_constant_training_targets_are_no_division_by_zero():
    step = REGRESSION.fit_postprocessing(np.full((3, 1), 7.0))
    assert REGRESSION.training_targets(step, np.full((3, 1), 7.0)).tolist() == [[0.0]] * 3
    assert postprocess(np, step, np.array([[5.0]])).tolist() == [[7.0]]


def test_classes_are_left_as_they_are():
    kind = kind_of(MANY)
    step = kind.fit_postprocessing(np.array([[2.0]]))
    assert step == PostProcessing("softmax")
    assert kind.training_targets(step, np.array([[2.0]])).tolist() == [[2.0]]
