"""What may be deployed: limits of size and latency, and the rule that chooses a single candidate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from composable.problem.metrics import better

_UNITS = {"parameters": "weights", "bytes": "bytes", "latency_ms": "ms for a row"}


@dataclass(frozen=True)
class Limits:
    """The most that the deployed model may cost; its fields are named as in `Trial.cost`.

    Attributes:
        parameters: Weights.
        bytes: Of its file.
        latency_ms: Milliseconds for a row, one network after the other, as the leaderboard states them.
    """

    parameters: float = math.inf
    bytes: float = math.inf
    latency_ms: float = math.inf

    @property
    def most_weights(self) -> float:
        """Weights that a model has at most, a float32 each."""
        return min(self.parameters, self.bytes / 4)

    def exceeded(self, cost: Mapping[str, float]) -> str:
        """The first limit that a cost exceeds, in words; "" where it is within all of them."""
        for name, most in asdict(self).items():
            if cost.get(name, 0.0) > most:
                return f"{amount(name, cost[name])}, of {amount(name, most)} at most"
        return ""

    def most_times(self, each: Mapping[str, float], beside: Mapping[str, float]) -> float:
        """How many times a cost fits, beside another one."""
        finite = {name: most for name, most in asdict(self).items() if math.isfinite(most)}
        rooms = [
            (most - beside.get(name, 0.0)) / each[name] for name, most in finite.items() if each.get(name)
        ]
        return min(rooms, default=math.inf)


def amount(name: str, value: float) -> str:
    """An amount of a cost with its unit, such as 1,200 weights."""
    return f"{value:,.4g} {_UNITS[name]}" if name == "latency_ms" else f"{value:,.0f} {_UNITS[name]}"


def total(costs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What several models cost together."""
    return {name: sum(cost[name] for cost in costs) for name in _UNITS if all(name in c for c in costs)}


@dataclass(frozen=True)
class SingleChoice:
    """How a single candidate is chosen, instead of weighing several.

    Attributes:
        tolerance: How much of the best one's gain over the constant predictor may be given up for a smaller
            model; 0 where only the score counts.
    """

    tolerance: float = 0.0

    def of(self, metric: str, scores: Sequence[float], weights: Sequence[float], constant: float) -> int:
        """The best candidate, or the one of the fewest weights that is nearly as good.

        Nearly as good is a score that loses at most `tolerance` of the distance between the best one's and
        the constant predictor's; nothing may be lost where that distance isn't known, or no gain.

        Args:
            metric: Of the scores.
            scores: Of each candidate; NaN where there is none.
            weights: Of each candidate, as it would be deployed.
            constant: The score of the constant predictor; may be NaN.
        """
        best = 0
        for index, score in enumerate(scores):
            if better(metric, score, scores[best]):
                best = index
        gain = abs(scores[best] - constant) if better(metric, scores[best], constant) else 0.0
        loss = self.tolerance * gain if math.isfinite(gain) else 0.0
        near = [i for i, score in enumerate(scores) if abs(scores[best] - score) <= loss] or [best]
        return min(near, key=lambda index: (weights[index], index != best))
