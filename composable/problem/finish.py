"""From logits to what a user reads: calibrated probabilities, or numbers in the target's own unit."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from composable.problem.problem import Head


@dataclass(frozen=True)
class Finish:
    """The last step of one head of one network.

    Attributes:
        temperature: Logits are divided by it (Guo et al. 2017, "On Calibration of Modern Neural Networks").
        scale, offset: A regression's target was standardized with them.
        low, high: The range of the training targets, which predictions don't leave.
    """

    temperature: float = 1.0
    scale: float = 1.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf


def fit_finish(head: Head, y: np.ndarray) -> Finish:
    """Mean, spread and range of a regression's training targets; nothing for classes."""
    if head.kind != "regression":
        return Finish()
    spread = float(y.std())
    return Finish(
        scale=spread if spread > 0 else 1.0, offset=float(y.mean()), low=float(y.min()), high=float(y.max())
    )


def to_training(head: Head, finish: Finish, y: np.ndarray) -> np.ndarray:
    """Targets as the loss wants them: standardized numbers, or class numbers as they are; float32.

    The class numbers of pixels stay int16, which takes half the memory.
    """
    if head.kind == "mask":
        return y.astype("int16")
    if head.kind == "regression":
        y = (y - finish.offset) / finish.scale
    return y.astype("float32")


def apply_finish(xp: Any, head: Head, finish: Finish, logits: Any) -> Any:
    """Probabilities (rows, classes or labels), of the second class (rows, 1), or numbers (rows, 1).

    Of masks: probabilities (rows, height, width, classes).

    Args:
        xp: `numpy` on arrays, `keras.ops` on symbolic tensors: the validation scores and the deployed graph
            come from the same lines.
        head: Its kind decides.
        finish: What to apply.
        logits: (rows, width), or (rows, members, width), whose probabilities are averaged; of masks
            (rows, height, width, classes).
    """
    if head.kind == "regression":
        numbers = _over_members(xp, logits) * finish.scale + finish.offset
        return xp.clip(numbers, finish.low, finish.high)
    logits = logits / finish.temperature
    if head.kind in ("multiclass", "mask"):
        powers = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
        return _over_members(xp, powers / xp.sum(powers, axis=-1, keepdims=True))
    return _over_members(xp, 1.0 / (1.0 + xp.exp(-xp.clip(logits, -60.0, 60.0))))


def _over_members(xp: Any, outputs: Any) -> Any:
    return xp.mean(outputs, axis=1) if len(outputs.shape) == 3 else outputs


def with_temperature(finish: Finish, temperature: float) -> Finish:
    """The same finish at another temperature."""
    return replace(finish, temperature=temperature)


def unusual(finish: Finish) -> dict[str, float]:
    """The fields that aren't what a finish has by default, so that `Finish(**fields)` is the same again."""
    return {name: value for name, value in asdict(finish).items() if value != getattr(Finish, name)}
