"""From logits to what a user reads: calibrated probabilities, or numbers in the target's own unit."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Activation = Literal["linear", "sigmoid", "softmax"]
_TINY = 1e-7


@dataclass(frozen=True)
class PostProcessing:
    """The last step of one head of one network.

    Attributes:
        activation: What turns logits into predictions.
        temperature: Logits are divided by it (Guo et al. 2017, "On Calibration of Modern Neural Networks").
        scale, offset: A regression's target was standardized with them.
        low, high: The range of the training targets, which predictions don't leave.
    """

    activation: Activation = "linear"
    temperature: float = 1.0
    scale: float = 1.0
    offset: float = 0.0
    low: float = -math.inf
    high: float = math.inf


def postprocess(xp: Any, step: PostProcessing, logits: Any) -> Any:
    """Numbers (rows, 1), or probabilities of the second class, of each label or of all classes (rows, width).

    Args:
        xp: `numpy` on arrays, `keras.ops` on symbolic tensors: the validation scores and the deployed graph
            come from the same lines.
        step: What to apply.
        logits: (rows, width), or (rows, members, width), whose predictions are averaged; of every pixel
            (rows, height, width, classes).
    """
    if step.activation == "linear":
        numbers = _over_members(xp, logits) * step.scale + step.offset
        return xp.clip(numbers, step.low, step.high)
    logits = logits / step.temperature
    if step.activation == "softmax":
        powers = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
        return _over_members(xp, powers / xp.sum(powers, axis=-1, keepdims=True))
    return _over_members(xp, 1.0 / (1.0 + xp.exp(-xp.clip(logits, -60.0, 60.0))))


def final_answers(xp: Any, step: PostProcessing, averages: Any) -> Any:
    """The averages of several networks' answers, recalibrated: their logits, divided by one more temperature.

    Averages of calibrated probabilities are less sure than they may be: Rahaman & Thiery 2021, "Uncertainty
    Quantification and Deep Ensembles", section 4. The order of a row's classes stays, and of single
    probabilities that of the rows.

    Args:
        xp: As for `postprocess`.
        step: The activation and the final temperature of the head.
        averages: Numbers, which stay as they are, or probabilities.
    """
    unchanged = step.activation == "linear" or step.temperature == 1.0
    return averages if unchanged else postprocess(xp, step, logits_of_answers(xp, step.activation, averages))


def logits_of_answers(xp: Any, activation: Activation, answers: Any) -> Any:
    """Logits whose activation gives these probabilities, away from 0 and 1; numbers as they are."""
    if activation == "linear":
        return answers
    answers = xp.clip(answers, _TINY, 1.0 - _TINY)
    return xp.log(answers) if activation == "softmax" else xp.log(answers) - xp.log(1.0 - answers)


def _over_members(xp: Any, outputs: Any) -> Any:
    return xp.mean(outputs, axis=1) if len(outputs.shape) == 3 else outputs


def with_temperature(step: PostProcessing, temperature: float) -> PostProcessing:
    """The same step at another temperature."""
    return replace(step, temperature=temperature)


def changed_fields(step: PostProcessing) -> dict[str, Any]:
    """The fields that differ from their defaults, so that `PostProcessing(**fields)` is the same again."""
    return {name: value for name, value in asdict(step).items() if value != getattr(PostProcessing, name)}
