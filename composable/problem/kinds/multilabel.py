"""A target of several labels at once, each there or not: the tags of a text."""

from __future__ import annotations

from typing import Any

import numpy as np

from composable.design.part import Part
from composable.design.tasks import multi_label_classifier
from composable.problem.error_curves import confusion, reliability
from composable.problem.formulas import mean_of_defined
from composable.problem.kinds.answer_effects import AnswerEffects, both_classes, log_odds
from composable.problem.kinds.classes import enough_of_both, sigmoid_goal, sigmoid_row_losses, two_class_score
from composable.problem.kinds.target_kind import ScoredRows, TargetKind
from composable.problem.metrics import Metric
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Head
from composable.problem.target_columns import encode_classes


def score(metric: Metric, head: Head, rows: ScoredRows) -> float:
    """The mean over the labels of a metric of two classes, each on the rows in which it isn't missing."""
    each = []
    for label in range(len(head.targets)):
        known = ~np.isnan(rows.observed[:, label])
        y, p = rows.observed[known, label].astype(int), rows.predicted[known, label]
        weights = None if rows.weights is None else rows.weights[known]
        if len(y):
            each.append(two_class_score(metric, y, p, weights, head.threshold(label)))
    return mean_of_defined(each)


def diagnose(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """`confusions`, one per target, and `reliability` over all of them."""
    known = np.isfinite(predicted) & np.isin(observed, (0, 1))
    chances, truth = predicted.astype("float64").clip(0.0, 1.0), observed == 1
    confusions = [
        confusion(truth[rows, label], chances[rows, label] >= head.threshold(label), 2)
        for label, rows in enumerate(known.T)
    ]
    return {
        "labels": list(head.labels),
        "confusions": confusions,
        "reliability": reliability(chances[known], truth[known]),
    }


def error_direction(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """That of the label which is most wrong."""
    found, worst = np.zeros(len(predicted)), _most_wrong(observed, predicted)
    found[worst] = 1.0 if predicted[worst] > observed[worst] else -1.0
    return found


def outcome(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """That of the label which is most wrong."""
    worst = _most_wrong(observed, predicted)
    label, probability = head.targets[worst], float(predicted[worst])
    words = {True: f"{label}: yes", False: f"{label}: no"}
    return {
        "observed": words[bool(observed[worst])],
        "predicted": words[probability >= head.threshold(worst)],
        "probability": max(probability, 1 - probability),
    }


def _most_wrong(observed: np.ndarray, predicted: np.ndarray) -> int:
    return int(np.nan_to_num(np.abs(predicted - observed)).argmax())


EFFECTS = AnswerEffects(
    additive=log_odds,
    logit_direction=lambda head, predicted: np.eye(len(predicted))[predicted.argmax()],
    error_direction=error_direction,
    named=lambda head, totals: ((str(name), totals[:, index]) for index, name in enumerate(head.targets)),
    error_sizes=lambda observed, predicted: np.nan_to_num(np.abs(predicted - observed)).max(axis=1),
    right_confidence=lambda observed, predicted: np.full(len(predicted), np.nan),
    outcome=outcome,
)

MULTILABEL = TargetKind(
    name="multilabel",
    activation="sigmoid",
    default_metric="roc_auc",
    loss_metric="log_loss",
    encode=encode_classes,
    width=lambda head: len(head.targets),
    task=lambda head: Part(multi_label_classifier, labels=len(head.targets)),
    goal=sigmoid_goal,
    fit_postprocessing=lambda y: PostProcessing("sigmoid"),
    training_targets=lambda step, y: y.astype("float32"),
    indicators=lambda head, y: y,
    constant_prediction=lambda head, y: np.nanmean(y, axis=0),
    score=score,
    row_losses=sigmoid_row_losses,
    calibration_rows=lambda head, logits, y: (head, logits, y),
    class_probabilities=lambda head, predicted, position: both_classes(
        predicted[:, [position]].astype("float64")
    ),
    effects=EFFECTS,
    diagnose=diagnose,
    leak_questions=lambda head, y: enough_of_both([y > 0.5]),
)
