"""A target of three or more classes that exclude each other: a make, a species."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops

from composable.data.schema import Notice
from composable.design.part import Part
from composable.design.tasks import classifier
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.problem.formulas import CLASSES, confusion, own_score
from composable.problem.kinds.classes import (
    class_head,
    enough_of_both,
    probabilities,
    reliability,
    softmax_row_losses,
)
from composable.problem.kinds.target_kind import (
    AnswerEffects,
    ScoredRows,
    TargetKind,
    class_error_sizes,
    class_outcome,
    class_right_confidence,
    log_odds,
)
from composable.problem.metrics import Metric
from composable.problem.postprocessing import PostProcessing
from composable.problem.problem import Head
from composable.problem.target_columns import Notify, ObservedTarget, encode_classes

MOST_SHOWN = 200  # classes of a confusion matrix; the rarest beyond are pooled
POOLED = "(other classes)"
_COMMONEST = 5  # classes, which a column that leaks the target must separate


def pose(targets: Sequence[ObservedTarget], notify: Notify) -> tuple[Head, ...]:
    """One of classes for each; what has two of them is a problem of two classes."""
    heads = tuple(class_head(target, notify) for target in targets)
    for head in heads:
        if len(head.labels) == 2:
            text = f"{head.name!r} has two values: it is a problem of two classes."
            notify(Notice(text, column=head.name))
    return heads


def goal(metric: str) -> Goal:
    """Cross entropy; training stops by that of the members' mean, which is smoother than most metrics."""
    return Goal(categorical_cross_entropy, _log_loss)


def _log_loss(y: Any, outputs: Any) -> Any:
    answers = probabilities("softmax", outputs)
    chosen: Any = ops.one_hot(ops.cast(ops.squeeze(y, -1), "int32"), int(answers.shape[-1]))
    chosen_log: Any = ops.sum(chosen * ops.log(answers), axis=-1)
    return -chosen_log


def one_hot(head: Head, y: np.ndarray) -> np.ndarray:
    """(rows, classes) of 0 and 1, or NaN where a row has no class."""
    return np.where(np.isnan(y), np.nan, y == np.arange(head.width)).astype("float32")


def shares(head: Head, y: np.ndarray) -> np.ndarray:
    """The share of each class among (rows, 1) class numbers, (classes,)."""
    known = y[~np.isnan(y)].astype(int)
    return np.bincount(known, minlength=head.width) / len(known)


def score(metric: Metric, head: Head, rows: ScoredRows) -> float:
    """A metric of (rows, 1) class numbers and (rows, classes) probabilities."""
    y = rows.observed[:, 0].astype(int)
    if metric.function is not None:
        return own_score(metric, y, rows.predicted, rows.weights)
    return CLASSES[metric.name](y, rows.predicted, rows.weights)


def diagnose(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """`labels`, `classes`, `confusion` (observed by predicted class), `reliability` in quantile bins.

    Of more than 200 classes the rarest are pooled into a last one.
    """
    observed = observed.reshape(-1)
    known = np.isfinite(predicted).all(axis=1) & np.isin(observed, np.arange(head.width))
    codes, chances = observed[known].astype(int), predicted[known].astype("float64").clip(0.0, 1.0)
    guesses = chances.argmax(axis=1) if len(chances) else codes
    trust = reliability(chances.max(axis=1, initial=0.0), guesses == codes)
    shown = list(head.labels)
    if len(shown) > MOST_SHOWN:
        counts = np.bincount(codes, minlength=len(shown))
        frequent = np.sort(np.argsort(-counts, kind="stable")[: MOST_SHOWN - 1])
        index = np.full(len(shown), MOST_SHOWN - 1)
        index[frequent] = np.arange(MOST_SHOWN - 1)
        codes, guesses = index[codes], index[guesses]
        shown = [*(head.labels[code] for code in frequent), POOLED]
    return {
        "labels": shown,
        "classes": len(head.labels),
        "confusion": confusion(codes, guesses, len(shown)).tolist(),
        "reliability": trust,
    }


def leak_questions(head: Head, y: np.ndarray) -> list[np.ndarray]:
    """For each of the commonest classes whether a row is of it."""
    known = y[~np.isnan(y)].astype(int)
    commonest = np.argsort(-np.bincount(known))[:_COMMONEST]
    return enough_of_both([y == label for label in commonest])


def logit_direction(head: Head, predicted: np.ndarray) -> np.ndarray:
    """The most probable class against the mean of all: softmax sees only how logits differ."""
    return np.eye(head.width)[predicted.argmax()] - 1.0 / head.width


def named_effects(head: Head, totals: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each class; softmax sees only how scores differ from each other."""
    apart = totals - totals.mean(axis=1, keepdims=True)
    yield from ((str(label), apart[:, index]) for index, label in enumerate(head.labels))


EFFECTS = AnswerEffects(
    additive=log_odds,
    logit_direction=logit_direction,
    error_direction=lambda observed, predicted: np.eye(len(predicted))[predicted.argmax()],
    named=named_effects,
    error_sizes=class_error_sizes,
    right_confidence=class_right_confidence,
    outcome=class_outcome,
)

MULTICLASS = TargetKind(
    name="multiclass",
    activation="softmax",
    default_metric="log_loss",
    loss_metric="log_loss",
    pose=pose,
    recognize=lambda target: target.taken_as("classes", "regression"),
    encode=encode_classes,
    width=lambda head: len(head.labels),
    task=lambda head: Part(classifier, classes=len(head.labels)),
    goal=goal,
    fit_postprocessing=lambda y: PostProcessing("softmax"),
    training_targets=lambda step, y: y.astype("float32"),
    indicators=one_hot,
    constant_prediction=shares,
    score=score,
    row_losses=softmax_row_losses,
    calibration_rows=lambda head, logits, y: (head, logits, y),
    class_probabilities=lambda head, predicted, position: predicted.astype("float64"),
    effects=EFFECTS,
    diagnose=diagnose,
    leak_questions=leak_questions,
    exclusive=True,
)
