"""Averages of the weights over the steps of a training: pure functions on lists of arrays, for any backend.

`start_average` makes the state, `update_average` brings it up to date after a step, `averaged` gives the
values to predict with, and `continued` those to train on with.

Give them the moving statistics of batch norms along with the weights: these are averaged alike, which stands
in for the pass over the rows that Izmailov et al. take to compute them anew. What isn't floating (counters,
states of random generators) is never averaged: its latest value holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import keras
from keras import ops
from pydantic import Field

from composable.core.errors import ConfigError


@dataclass(frozen=True)
class EMA:
    """The exponential moving average of the weights.

    The first steps count for more, lest the weights before training stay in it: the decay is at most
    (1 + n) / (10 + n) after n steps.

    Attributes:
        decay: The share of the average that stays in each step.
        kind: In JSON.

    Raises:
        ConfigError: If the decay is not in [0, 1).
    """

    decay: float = 0.999
    kind: Literal["ema"] = "ema"

    def __post_init__(self) -> None:
        _share("The decay of an average", self.decay)


@dataclass(frozen=True)
class SWA:
    """The plain average of the weights after each step of the last part of a training (SWA).

    Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
    arXiv:1803.05407, who take them once an epoch.

    Attributes:
        start: The share of the training after which it begins; before, it is the weights themselves.
        kind: In JSON.

    Raises:
        ConfigError: If the start is not in [0, 1).
    """

    start: float = 0.75
    kind: Literal["swa"] = "swa"

    def __post_init__(self) -> None:
        _share("The start of an average", self.start)


@dataclass(frozen=True)
class Lookahead:
    """Slow weights that follow the trained ones, which go on from them every few steps.

    Zhang et al. 2019, "Lookahead Optimizer: k steps forward, 1 step back", arXiv:1907.08610, algorithm 1.
    With a power the slow weights follow wholly at first: by 1 - (1 - follow) · progress^power. airbench94 has
    `Lookahead(every=5, follow=1 - 0.95**5, power=3.0)` (Jordan 2024, arXiv:2404.00498, listing 4).

    Attributes:
        every: Steps from one meeting to the next (k in the paper).
        follow: How far the slow weights go towards the trained ones (alpha in the paper).
        power: Of the progress; 0 for always `follow`.
        kind: In JSON.

    Raises:
        ConfigError: If `every` is below 1, `follow` not in (0, 1] or the power negative.
    """

    every: int = 5
    follow: float = 0.5
    power: float = 0.0
    kind: Literal["lookahead"] = "lookahead"

    def __post_init__(self) -> None:
        if self.every < 1 or not 0 < self.follow <= 1 or not 0 <= self.power < float("inf"):
            raise ConfigError(
                "Lookahead meets after at least one step, follows by a share and has no negative power.",
                received=f"every={self.every!r}, follow={self.follow!r}, power={self.power!r}",
            )


Average = Annotated[EMA | SWA | Lookahead, Field(discriminator="kind")]


class Averages(NamedTuple):
    """What an average keeps.

    Attributes:
        values: Beside the weights, shapes alike.
        steps: That went into it; int32.
    """

    values: list[Any]
    steps: Any


def start_average(average: Average, parameters: Sequence[Any]) -> Averages:  # noqa: ARG001 (alike for all)
    """The state before the first step."""
    # Copies, since a program that donates its buffers may not take one twice.
    return Averages([ops.copy(value) for value in parameters], ops.zeros((), "int32"))


def update_average(average: Average, state: Averages, parameters: Sequence[Any], progress: Any) -> Averages:
    """The state after a step.

    Args:
        average: Its kind.
        state: Before the step.
        parameters: After the step.
        progress: Of the whole training, 0 at the first step and 1 at the last.
    """
    match average:
        case EMA(decay):
            done: Any = ops.cast(state.steps, "float32")
            kept: Any = ops.minimum(decay, (1.0 + done) / (10.0 + done))
            share, steps = 1.0 - kept, state.steps + 1
        case SWA(start):
            # Steps before the start count for nothing: the next one replaces them.
            steps = state.steps + ops.cast(progress >= start, "int32")
            counted: Any = ops.cast(ops.maximum(steps, 1), "float32")
            share = 1.0 / counted
        case Lookahead(every, follow, power):
            steps = state.steps + 1
            bent: Any = ops.power(ops.cast(progress, "float32"), power)
            share = ops.where(ops.equal(steps % every, 0), 1.0 - (1.0 - follow) * bent, 0.0)
    values = [_between(old, new, share) for old, new in zip(state.values, parameters, strict=True)]
    return Averages(values, steps)


def averaged(average: Average, state: Averages, parameters: Sequence[Any]) -> list[Any]:  # noqa: ARG001
    """What to predict with: the average, of however few steps; the slow weights of Lookahead."""
    return list(state.values)


def continued(average: Average, state: Averages, parameters: Sequence[Any]) -> list[Any]:
    """What to train on with, after `update_average`: the slow weights where Lookahead has just met them."""
    if not isinstance(average, Lookahead):
        return list(parameters)
    met = ops.equal(state.steps % average.every, 0)
    return [ops.where(met, slow, new) for slow, new in zip(state.values, parameters, strict=True)]


def _between(old: Any, new: Any, share: Any) -> Any:
    """From the old value to the new one by this share; at 1 exactly the new one."""
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(new.dtype)):
        return new
    share = ops.cast(share, new.dtype)
    return (1.0 - share) * old + share * new


def _share(what: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ConfigError(f"{what} is at least 0 and below 1.", received=repr(value))
