"""What speaks for an answer: log odds, directions of the logits, and the answers by their names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from composable.problem.problem import Head

ANSWERS = 100  # at most; of more classes the others are left out
_SURE = 1e-6  # of a probability, lest its logarithm is infinite


def probabilities(head: Head, predicted: np.ndarray) -> np.ndarray:
    """(rows, classes) of two or many classes, or (rows, labels) of several labels."""
    if head.kind == "binary":
        return np.stack([1 - predicted[:, 0], predicted[:, 0]], axis=1)
    return predicted


def additive(head: Head, predicted: np.ndarray) -> np.ndarray:
    """Predictions on a scale on which effects add up: log odds of each class or label; numbers stay."""
    if head.kind == "regression":
        return predicted
    each = np.clip(probabilities(head, predicted), _SURE, 1 - _SURE)
    return np.log(each) - np.log1p(-each)


def logit_direction(head: Head, predicted: np.ndarray) -> np.ndarray:
    """What the logits of a row are multiplied by, so that their sum speaks for the predicted answer."""
    if head.kind == "regression":
        return np.ones(1)
    if head.kind == "binary":
        return np.where(predicted >= 0.5, 1.0, -1.0)
    chosen = np.eye(len(predicted))[predicted.argmax()]
    return chosen - 1.0 / len(predicted) if head.kind == "multiclass" else chosen


def error_direction(head: Head, observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Of each `additive` score of a row: 1 where a higher one made the answer, -1 where a lower one did."""
    if head.kind == "regression":
        return np.sign(predicted - observed)
    found = np.zeros(len(predicted) if head.kind == "multilabel" else max(2, len(predicted)))
    if head.kind == "multilabel":
        index = int(np.abs(predicted - observed).argmax())
        found[index] = 1.0 if predicted[index] > 0.5 else -1.0
    else:
        found[int(predicted[0] > 0.5) if head.kind == "binary" else int(predicted.argmax())] = 1.0
    return found


def by_answer(head: Head, totals: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each answer's name, and what speaks for it, from effects on scores, (effects, scores)."""
    if head.kind == "regression":
        yield from (("higher", totals[:, 0]), ("lower", -totals[:, 0]))
    elif head.kind == "binary":
        yield from ((str(head.labels[1]), totals[:, -1]), (str(head.labels[0]), -totals[:, -1]))
    else:
        # Softmax sees only how scores differ from each other.
        apart = totals - totals.mean(axis=1, keepdims=True) if head.kind == "multiclass" else totals
        names = head.labels if head.kind == "multiclass" else head.targets
        yield from ((str(name), apart[:, index]) for index, name in enumerate(names[:ANSWERS]))
