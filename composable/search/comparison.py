"""By how much the winner beats others on the same rows, and what each member of an ensemble brings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composable.core.seeds import derive
from composable.problem.metrics import higher_is_better
from composable.search.predictions import blend
from composable.search.scorer import Scorer
from composable.search.trial import Trial

_VALUES, _FEWEST_DRAWS, _DRAWS = (
    2_000_000,
    20,
    200,
)  # predicted values that are drawn in all; bootstrap samples
_LEVEL = 0.90


@dataclass(frozen=True)
class Difference:
    """How much better the deployed model is than another trial, on the rows that both predicted out of fold.

    Attributes:
        trial: The number of the other one.
        name: Of what it tried.
        role: Of the other one.
        score: Of the other one.
        difference: In the unit of the metric; positive where the deployed one is better.
        low: Where the 90 % interval of the difference begins; None where there are too many values to draw.
        high: Where it ends.
    """

    trial: int
    name: str
    role: str
    score: float
    difference: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MemberShare:
    """What a member of an ensemble brings.

    Attributes:
        trial: Its number.
        name: Of what it tried.
        weight: In the ensemble.
        without: The score of the ensemble without it, the weights of the others in the same ratio.
        brings: How much better the ensemble is with it, in the unit of the metric; negative where worse.
    """

    trial: int
    name: str
    weight: float
    without: float
    brings: float


def differences(
    scorer: Scorer, deployed: Trial, others: Sequence[Trial], *, seed: int
) -> tuple[Difference, ...]:
    """How much better a trial is than others, each with an interval.

    The interval is that of a paired bootstrap: both are scored on the same rows, drawn again and again with
    replacement within each fold (Efron 1979).

    Args:
        scorer: Of predictions.
        deployed: The trial.
        others: With out-of-fold predictions for the same rows.
        seed: For the samples.
    """
    parts, sign = scorer.scored_parts, _sign(scorer)
    rows = np.concatenate(parts)
    first = np.cumsum([0, *map(len, parts)])
    predicted = [[head[rows] for head in one.predictions.out_of_fold] for one in (deployed, *others)]
    values = sum(head.size for one in predicted for head in one)
    draws = min(_DRAWS, _VALUES // max(values, 1))
    drawn: list[list[float]] = [[] for _ in others]
    rng = np.random.default_rng(derive(seed, "comparison"))
    for _ in range(draws if draws >= _FEWEST_DRAWS else 0):
        taken = [rng.integers(0, len(part), len(part)) for part in parts]
        positions = np.concatenate([start + one for start, one in zip(first, taken, strict=False)])
        score = scorer.on_parts([part[one] for part, one in zip(parts, taken, strict=True)])
        scores = [score([head[positions] for head in one]) for one in predicted]
        for found, other in zip(drawn, scores[1:], strict=True):
            found.append(sign * (scores[0] - other))
    return tuple(
        Difference(
            other.number,
            other.name,
            other.role,
            float(other.score),
            sign * float(deployed.score - other.score),
            *_interval(found),
        )
        for other, found in zip(others, drawn, strict=True)
    )


def _sign(scorer: Scorer) -> float:
    return 1.0 if higher_is_better(scorer.problem.metric) else -1.0


def _interval(drawn: Sequence[float]) -> tuple[float | None, float | None]:
    known = [one for one in drawn if math.isfinite(one)]
    if len(known) < _FEWEST_DRAWS:
        return None, None
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def member_shares(scorer: Scorer, deployed: Trial) -> tuple[MemberShare, ...]:
    """What each member of an ensemble brings, the heaviest first; none of a single trial."""
    found = []
    for member, weight in deployed.members:
        others = [(one, share) for one, share in deployed.members if one is not member]
        total = sum(share for _, share in others)
        mixed = blend([one.predictions for one, _ in others], [share / total for _, share in others])
        without = scorer.selection(mixed)
        brings = _sign(scorer) * float(deployed.score - without)
        found.append(MemberShare(member.number, member.name, weight, float(without), brings))
    return tuple(sorted(found, key=lambda one: -one.weight))
