"""What a head is trained for and watched by."""

from __future__ import annotations

from functools import partial
from typing import Any

from keras import ops

from composable.engine.losses import (
    absolute_error,
    binary_cross_entropy,
    categorical_cross_entropy,
    mask_loss,
    squared_error,
)
from composable.engine.objective import Goal, Loss
from composable.problem.finish import Finish, apply_finish
from composable.problem.problem import Head


def goal(head: Head, metric: str) -> Goal:
    """The loss of a head, and log loss or the error of standardized targets to stop by.

    Both are smoother than most metrics, so better guides. With members they are those of the members' mean.
    """
    match head.kind:
        case "regression":
            loss = absolute_error if metric == "mae" else squared_error
            return Goal(loss, partial(_regression, loss, head))
        case "multiclass":
            return Goal(categorical_cross_entropy, partial(_log_loss, head))
        case "mask":
            return Goal(mask_loss, mask_loss)
    return Goal(binary_cross_entropy, partial(_log_loss, head))


def _regression(loss: Loss, head: Head, y: Any, outputs: Any) -> Any:
    return loss(y, apply_finish(ops, head, Finish(), outputs))


def _log_loss(head: Head, y: Any, outputs: Any) -> Any:
    answers: Any = ops.clip(apply_finish(ops, head, Finish(), outputs), 1e-7, 1.0 - 1e-7)
    if head.kind == "multiclass":
        chosen: Any = ops.one_hot(ops.cast(ops.squeeze(y, -1), "int32"), int(answers.shape[-1]))
        chosen_log: Any = ops.sum(chosen * ops.log(answers), axis=-1)
        return -chosen_log
    return ops.mean(ops.binary_crossentropy(ops.cast(y, answers.dtype), answers), axis=-1)
