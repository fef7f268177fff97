"""A target of several labels at once, each there or not: the tags of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from composable.core.errors import DataError
from composable.design.part import Part
from composable.design.tasks import multi_label_classifier
from composable.problem.formulas import confusion
from composable.problem.kinds.binary import BINARY
from composable.problem.kinds.classes import reliability
from composable.problem.kinds.target_kind import AnswerEffects, log_odds
from composable.problem.problem import Head
from composable.problem.target_columns import Notify, ObservedTarget, label_text, labels_of, sorted_labels


def pose(targets: Sequence[ObservedTarget], notify: Notify) -> tuple[Head, ...]:
    """One for all, whose targets hold the same two values.

    Raises:
        DataError: If they don't, or a label is in all rows or in none.
    """
    values = {target.column.name: labels_of(target, lambda notice: None) for target in targets}
    for name, labels in values.items():
        if len(labels) < 2:
            raise DataError(
                "Every label of a multi-label problem needs rows with it and rows without it.",
                received=f"{name!r} is always {', '.join(map(repr, labels))}",
                remedy=f"leave out --target {name}",
            )
    every = {label_text(label): label for labels in values.values() for label in labels}
    if len(every) != 2:
        raise DataError(
            "The targets of a multi-label problem must all hold the same two values, such as 0 and 1.",
            received=f"values {', '.join(map(repr, [*every.values()][:6]))}",
            remedy="give every label a column of its own (pandas: Series.str.get_dummies), or leave out "
            "--problem multilabel: then each target gets a head of its own",
        )
    names = tuple(values)
    name = "+".join(names) if len(names) <= 3 else f"{names[0]}+{len(names) - 1}"
    return (Head(name[:80], "multilabel", names, sorted_labels([*every.values()])),)


def diagnose(head: Head, observed: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """`confusions`, one per target, and `reliability` over all of them."""
    known = np.isfinite(predicted) & np.isin(observed, (0, 1))
    chances, truth = predicted.astype("float64").clip(0.0, 1.0), observed == 1
    confusions = [
        confusion(truth[rows, label], chances[rows, label] >= head.threshold(label), 2).tolist()
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

MULTILABEL = replace(
    BINARY,
    name="multilabel",
    pose=pose,
    recognize=None,
    task=lambda head: Part(multi_label_classifier, labels=len(head.targets)),
    effects=EFFECTS,
    diagnose=diagnose,
    exclusive=False,
)
