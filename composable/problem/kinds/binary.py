"""A target of two classes: yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from composable.core.errors import ConfigError
from composable.design.part import Part
from composable.design.tasks import binary_classifier
from composable.problem.formulas import confusion, mean_of_defined
from composable.problem.kinds.classes import (
    class_head,
    enough_of_both,
    reliability,
    roc,
    sigmoid_goal,
    sigmoid_row_losses,
    two_class_score,
)
from composable.problem.kinds.target_kind import (
    AnswerEffects,
    ScoredRows,
    TargetKind,
    both_classes,
    class_error_sizes,
    class_outcome,
    class_right_confidence,
    log_odds,
)
from composable.problem.metrics import Metric
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Head
from composable.problem.target_columns import Notify, ObservedTarget, encode_classes


def pose(targets: Sequence[ObservedTarget], notify: Notify) -> tuple[Head, ...]:
    """One of two classes for each.

    Raises:
        ConfigError: If there are more.
    """
    heads = tuple(class_head(target, notify) for target in targets)
    for head in heads:
        if (count := len(head.labels)) > 2:
            raise ConfigError(
                "A binary problem needs a target with two values.",
                received=f"{head.name!r} has {count}: {', '.join(map(repr, head.labels[:5]))} ...",
                remedy="--problem multiclass",
            )
    return heads


def score(metric: Metric, head: Head, rows: ScoredRows) -> float:
    """The mean over the targets of a metric of two classes, each on the rows in which it isn't missing."""
    each = []
    for target in range(len(head.targets)):
        known = ~np.isnan(rows.observed[:, target])
        y, p = rows.observed[known, target].astype(int), rows.predicted[known, target]
        weights = None if rows.weights is None else rows.weights[known]
        if len(y):
            each.append(two_class_score(metric, y, p, weights, head.threshold(target)))
    return mean_of_defined(each)


def diagnose(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """`labels`, `confusion` (observed by predicted class), `reliability` in quantile bins, `roc`."""
    y, p = observed.reshape(-1), predicted.reshape(-1).astype("float64")
    known = np.isfinite(p) & np.isin(y, (0, 1))
    codes, chances = y[known].astype(int), p[known].clip(0.0, 1.0)
    return {
        "labels": list(head.labels),
        "confusion": confusion(codes, chances >= head.threshold(0), 2).tolist(),
        "reliability": reliability(chances, codes == 1),
        "roc": roc(codes, chances),
    }


EFFECTS = AnswerEffects(
    additive=lambda predicted: log_odds(both_classes(predicted)),
    logit_direction=lambda head, predicted: np.where(predicted >= head.threshold(0), 1.0, -1.0),
    error_direction=lambda observed, predicted: np.eye(2)[int(predicted[0] >= 0.5)],
    named=lambda head, totals: (
        (str(head.labels[1]), totals[:, -1]),
        (str(head.labels[0]), -totals[:, -1]),
    ),
    error_sizes=lambda observed, predicted: class_error_sizes(observed, both_classes(predicted)),
    right_confidence=lambda observed, predicted: class_right_confidence(observed, both_classes(predicted)),
    outcome=lambda head, observed, predicted: class_outcome(head, observed, both_classes(predicted[None])[0]),
)

BINARY = TargetKind(
    name="binary",
    activation="sigmoid",
    default_metric="roc_auc",
    loss_metric="log_loss",
    pose=pose,
    recognize=lambda target: () if len(target.distinct) <= 2 else None,
    encode=encode_classes,
    width=lambda head: len(head.targets),
    task=lambda head: Part(binary_classifier),
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
    exclusive=True,
)
