"""Where a metric looks at predicted classes, a class is predicted from the best probability on."""

from __future__ import annotations

import numpy as np
import pytest

from composable.problem.calibrate import centered, with_thresholds
from composable.problem.problem import Head, Problem
from composable.problem.scores import score

TWO = Head("y", "binary", ("y",), (0, 1))
LABELS = Head("y", "multilabel", ("a", "b"), (0, 1))


def rare(columns=1):
    """Classes of one row in twelve, and probabilities that are right on average."""
    rng = np.random.default_rng(0)
    p = rng.beta(0.6, 7, (4000, columns))
    return (rng.random(p.shape) < p).astype(float), p


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "mcc"])
def test_a_rare_class_is_predicted_below_one_half(metric):
    y, p = rare()
    found = with_thresholds(Problem((TWO,), metric), [y], [p])
    assert found.heads[0].thresholds[0] < 0.4
    assert score(metric, found.heads[0], y, p) > score(metric, TWO, y, p) + 0.05


def test_each_label_has_a_threshold_of_its_own():
    y, p = rare(2)
    p[:, 1] = p[:, 1] ** 2  # the same order, smaller numbers
    first, second = with_thresholds(Problem((LABELS,), "f1"), [y], [p]).heads[0].thresholds
    assert second < first < 0.5


@pytest.mark.parametrize(
    ("metric", "rows"), [("roc_auc", 4000), ("log_loss", 4000), ("accuracy", 400), ("f1", 40)]
)
def test_other_metrics_and_few_rows_ask_for_none(metric, rows):
    y, p = rare()
    assert with_thresholds(Problem((TWO,), metric), [y[:rows]], [p[:rows]]).heads == (TWO,)


def test_centered_probabilities_predict_the_same_at_one_half():
    y, p = rare()
    found = with_thresholds(Problem((TWO,), "f1"), [y], [p])
    (moved,) = centered(found, [p])
    assert ((moved >= 0.5) == (p >= found.heads[0].thresholds[0])).all()
    assert (np.argsort(moved[:, 0]) == np.argsort(p[:, 0])).all()
