"""What explanations need of a kind of target: what speaks for an answer, and how wrong an answer is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.problem.problem import Head

_SURE = 1e-6  # of a probability, lest its logarithm is infinite


@dataclass(frozen=True)
class AnswerEffects:
    """How a kind's answers are explained; a row is what one row of targets or predictions is.

    Attributes:
        additive: Predictions (rows, width) on a scale on which effects add up, (rows, scores): log odds of
            each class or label; numbers stay.
        logit_direction: From the head and a predicted row to what its logits are multiplied by, so that their
            sum speaks for the answer.
        error_direction: Of each `additive` score of an observed and a predicted row: 1 where a higher one
            made the answer, -1 where a lower one did.
        named: Each answer's name, and what speaks for it, from effects on scores, (effects, scores).
        error_sizes: How wrong each row is, (rows,): the distance, or the probability of a wrong class; 0
            where it is right.
        right_confidence: The probability of the right class, (rows,); NaN where another won, or where there
            is no one right class.
        outcome: What one row is and what was predicted: `observed`, `predicted`, of classes `probability`.
    """

    additive: Callable[[np.ndarray], np.ndarray]
    logit_direction: Callable[[Head, np.ndarray], np.ndarray]
    error_direction: Callable[[np.ndarray, np.ndarray], np.ndarray]
    named: Callable[[Head, np.ndarray], Iterable[tuple[str, np.ndarray]]]
    error_sizes: Callable[[np.ndarray, np.ndarray], np.ndarray]
    right_confidence: Callable[[np.ndarray, np.ndarray], np.ndarray]
    outcome: Callable[[Head, np.ndarray, np.ndarray], dict[str, Any]]


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Of each probability."""
    each = np.clip(probabilities, _SURE, 1 - _SURE)
    return np.log(each) - np.log1p(-each)


def both_classes(predicted: np.ndarray) -> np.ndarray:
    """The probabilities of either of two classes, (rows, 2), from those of the second, (rows, 1)."""
    return np.concatenate([1 - predicted, predicted], axis=1)


def class_error_sizes(observed: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The probability of the most probable class where it isn't the observed one, else 0."""
    wrong = probabilities.argmax(axis=1) != observed[:, 0]
    return np.where(wrong, probabilities.max(axis=1), 0.0)


def class_right_confidence(observed: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The probability of the most probable class where it is the observed one, else NaN."""
    right = probabilities.argmax(axis=1) == observed[:, 0]
    return np.where(right, probabilities.max(axis=1), np.nan)


def class_outcome(head: Head, observed: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Of a row of one class among several."""
    return {
        "observed": str(head.labels[int(observed[0])]),
        "predicted": str(head.labels[int(probabilities.argmax())]),
        "probability": float(probabilities.max()),
    }
