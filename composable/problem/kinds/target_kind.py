"""What a kind of target is: one record of functions, by which everything else treats all kinds alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from composable.data.encoding import Encoding
from composable.data.schema import Notice, Schema
from composable.data.table import Table
from composable.design.part import Part
from composable.engine.objective import Goal
from composable.problem.metrics import Metric
from composable.problem.postprocessing import Activation, PostProcessing
from composable.problem.problem import Head, HeadKind
from composable.problem.target_columns import Notify, ObservedTarget

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


def thinned(size: int, limit: int) -> np.ndarray:
    """At most `limit` indices out of `size`, evenly spaced, both ends among them."""
    return np.unique(np.linspace(0, size - 1, min(size, limit)).round().astype(np.int64))


class ScoredRows(NamedTuple):
    """Rows of a head, observed and predicted.

    Attributes:
        observed: As the kind encodes targets; NaN where a target is missing.
        predicted: As `postprocess` gives them.
        weights: A weight per row, or None.
    """

    observed: np.ndarray
    predicted: np.ndarray
    weights: np.ndarray | None = None


@dataclass(frozen=True)
class TargetKind:
    """A kind of target.

    Targets are encoded as (rows, 1) numbers or class numbers, (rows, labels) of 0 and 1, or (rows, height,
    width) class numbers; predictions are (rows, width) numbers or probabilities, or (rows, height, width,
    classes).

    Attributes:
        name: As heads and records state it.
        activation: What turns logits into predictions.
        default_metric: What selects where the user names no metric.
        loss_metric: The smooth metric by which heads of different kinds are compared.
        pose: The heads that target columns of this kind are given, and what the user should know of them.
        encode: The targets of a table's rows for a head; where they are maps, at the size that an encoding
            gives the images.
        width: Of a head: the number of values per row, or per pixel.
        task: The part of an architecture that answers the head.
        goal: The loss that a network lowers, and what it stops by, where the metric of
            this name selects.
        fit_postprocessing: From the training rows' targets to the last step, at temperature 1.
        training_targets: Targets as the loss wants them.
        indicators: Targets as numbers to be approximated, (rows, width): 0 and 1 for classes.
            constant_prediction: What is best predicted of one row without looking at it.
        score: A metric of rows.
        row_losses: The squared error or the log loss of each row, (rows,); NaN where its target is missing.
        calibration_rows: Rows of a head of classes on which a temperature is found, None where there is none
            to be found: the head, logits and targets.
        class_probabilities: The probability of each class of the target at a position, (rows, classes); None
            where there are no classes.
        effects: What explanations need of this kind.
        diagnose: How a head is wrong, as JSON values for charts.
        leak_questions: What single columns are tested for, to see whether one leaks the target at a position:
            amounts, or truth values per class.
        recognize: What the user should know if a target's values are of this kind; None where they aren't.
            The kinds are asked in their order.
        exclusive: Whether a row has exactly one of several classes.
        answer_axes: The names of the axes of a prediction beside rows and classes, where it is a map.
    """

    name: HeadKind
    activation: Activation
    default_metric: str
    loss_metric: str
    pose: Callable[[Sequence[ObservedTarget], Notify], tuple[Head, ...]]
    encode: Callable[[Table, Schema, Head, Encoding | None], np.ndarray]
    width: Callable[[Head], int]
    task: Callable[[Head], Part]
    goal: Callable[[str], Goal]
    fit_postprocessing: Callable[[np.ndarray], PostProcessing]
    training_targets: Callable[[PostProcessing, np.ndarray], np.ndarray]
    indicators: Callable[[Head, np.ndarray], np.ndarray]
    constant_prediction: Callable[[Head, np.ndarray], np.ndarray]
    score: Callable[[Metric, Head, ScoredRows], float]
    row_losses: Callable[[np.ndarray, np.ndarray], np.ndarray]
    calibration_rows: Callable[[Head, np.ndarray, np.ndarray], tuple[Head, np.ndarray, np.ndarray] | None]
    class_probabilities: Callable[[Head, np.ndarray, int], np.ndarray | None]
    effects: AnswerEffects
    diagnose: Callable[[Head, np.ndarray, np.ndarray], dict[str, Any]]
    leak_questions: Callable[[Head, np.ndarray], list[np.ndarray]]
    recognize: Callable[[ObservedTarget], tuple[Notice, ...] | None] | None = None
    exclusive: bool = False
    answer_axes: tuple[str, ...] = ()
