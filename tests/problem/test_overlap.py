"""How far masks cover one another, against values worked out by hand."""

import numpy as np
import pytest

from composable.problem.formulas import confusion, confusion_of, overlap
from composable.problem.metrics import better
from composable.problem.problem import Head, Problem
from composable.problem.scores import constant_predictor, scores

TRUE = np.array([[[0, 0, 1, 1], [0, 0, 2, 2]]])
SAID = np.array([[[0, 1, 1, 1], [0, 0, 0, 2]]])
HEAD = Head("mask", "mask", ("mask",), (0, 7, 255))


def test_three_measures_by_hand():
    matrix = confusion(TRUE, SAID, 3)
    assert matrix.tolist() == [[3, 1, 0], [0, 2, 0], [1, 0, 1]]
    assert overlap("pixel_accuracy", matrix) == 6 / 8
    assert overlap("mean_iou", matrix) == pytest.approx((3 / 5 + 2 / 3 + 1 / 2) / 3)
    assert overlap("dice", matrix) == pytest.approx((6 / 8 + 4 / 5 + 2 / 3) / 3)


def test_a_class_that_is_nowhere_doesnt_count():
    assert overlap("mean_iou", confusion(TRUE, TRUE, 5)) == 1.0


def test_scores_take_the_most_probable_class():
    answers = np.eye(3)[SAID]
    found = scores(Problem((HEAD,), "mean_iou"), [TRUE], [answers])
    assert found == {
        m: overlap(m, confusion_of(TRUE, answers)) for m in ("mean_iou", "dice", "pixel_accuracy")
    }
    assert better("mean_iou", found["dice"], found["mean_iou"])


def test_the_constant_predictor_knows_how_often_each_class_is_at_each_place():
    (answer,) = constant_predictor((HEAD,), (np.concatenate([TRUE, SAID]),), 4)
    assert answer.shape == (4, 2, 4, 3)
    assert answer[3, 0, 1].tolist() == [0.5, 0.5, 0.0]
    assert answer[0, 0, 0].tolist() == [1.0, 0.0, 0.0]
