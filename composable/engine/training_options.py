"""What a training may do beside training: report epochs, halve the instances, call back, save itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from composable.engine.callbacks import Callbacks
from composable.engine.history import Epoch

OnEpoch = Callable[[int, Epoch], None]


class Checkpointer(Protocol):
    """Saves a training on disk, so that it can go on after a kill; see `composable.training.checkpointer`."""

    def load(self) -> tuple[Mapping[str, np.ndarray], Mapping[str, Any]] | None:
        """What was saved last: arrays and facts; None if there is nothing."""
        ...

    def save(self, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any], *, improved: bool) -> None:
        """Save; `improved` says whether any instance has got better than at the last save."""
        ...

    @property
    def due(self) -> bool:
        """Whether it is time to save again."""
        ...


@dataclass(frozen=True, eq=False)
class Options:
    """What a training may do beside training.

    Attributes:
        on_epoch: Called with the number of an instance and its epoch, as each ends.
        halvings: After so many epochs, that share of the instances goes on: those with the best measure so
            far (Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification").
        callbacks: A user's own Keras callbacks; None for none.
        checkpointer: Saves the training; None for not.
        share: Of the time that is left once everything is compiled: what a schedule is planned to take.
        as_one: Whether all instances stop as one, by the mean of their measures: they keep the values
            of the same epoch and lose patience at once. Where each has few held-out rows of its own, the best
            of many epochs flatters it.
    """

    on_epoch: OnEpoch = lambda _number, _epoch: None
    halvings: Mapping[int, float] = field(default_factory=dict)
    callbacks: Callbacks | None = None
    checkpointer: Checkpointer | None = None
    share: float = 1.0
    as_one: bool = False
