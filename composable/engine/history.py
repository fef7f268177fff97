"""The state of one instance while it trains, and its history: its epochs, the best one, what ended it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from composable.engine.settings import Settings

Stopped = Literal["patience", "epochs", "deadline", "dropped", "nan", "callback", "closed_form"]

# Numbers of the settings that may change between epochs.
_REGULATED = ("learning_rate", "weight_decay", "dropout", "label_smoothing")


@dataclass(frozen=True)
class Epoch:
    """The results of one epoch: training loss, held-out measure (NaN where no row is held out), seconds."""

    epoch: int
    loss: float
    held_out: float
    seconds: float


@dataclass(frozen=True)
class Divergence:
    """Where a loss stopped being a number."""

    epoch: int
    step: int
    learning_rate: float


@dataclass(frozen=True)
class History:
    """The epochs of one instance, where it was best (-1 for nowhere), and what ended it."""

    epochs: tuple[Epoch, ...]
    best_epoch: int
    stopped: Stopped
    diverged: Divergence | None = None

    @property
    def best(self) -> float:
        """The measure of the best epoch; infinite where there is none, NaN where no row is held out."""
        return self.epochs[self.best_epoch].held_out if self.best_epoch >= 0 else math.inf


@dataclass(eq=False)
class InstanceState:
    """One instance while it is trained.

    Attributes:
        settings: Of its training; they may change between epochs.
        measured: Whether rows are held out for it. Where none are, the latest epoch counts as the best.
        epochs: The results of its epochs so far.
        best: The best measure so far.
        best_epoch: Its number; -1 where there is none.
        waited: Epochs since the best one.
        slowed: How often its learning rate was divided because it had waited too long.
        rate: The factor of its learning rate that callbacks have set.
        stopped: What ended its training; None while it goes on.
        diverged: Where its loss stopped being a number; None where it did not.
    """

    settings: Settings
    measured: bool = True
    epochs: list[Epoch] = field(default_factory=list)
    best: float = math.inf
    best_epoch: int = -1
    waited: int = 0
    slowed: int = 0
    rate: float = 1.0
    stopped: Stopped | None = None
    diverged: Divergence | None = None

    @property
    def factor(self) -> float:
        """The factor of the learning rate beside its schedule."""
        return self.rate * self.settings.rate_divisor**-self.slowed

    def take(self, epoch: Epoch, diverged: Divergence | None, measure: float) -> None:
        """Take in an epoch and compare its measure, its own or that of several instances, with the best.

        A measure that is NaN although rows are held out is no improvement.
        """
        self.epochs.append(epoch)
        if diverged is not None:
            self.stopped, self.diverged = "nan", diverged
        elif measure < self.best or not self.measured:
            self.best, self.best_epoch, self.waited = measure, epoch.epoch, 0
        else:
            self.waited += 1

    def lose_patience(self) -> bool:
        """Whether it goes back to its best values with a smaller rate; it may be stopped instead."""
        patience = self.settings.patience
        if self.stopped or patience is None or self.waited < patience:
            return False
        if self.slowed >= self.settings.rate_reductions or self.best_epoch < 0:
            self.stopped = "patience"
            return False
        self.slowed, self.waited = self.slowed + 1, 0
        return True

    def history(self) -> History:
        """Its history so far."""
        return History(tuple(self.epochs), self.best_epoch, self.stopped or "epochs", self.diverged)

    def facts(self) -> dict[str, Any]:
        """All but those settings that never change, as JSON."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "settings"}
        plain["regulated"] = {name: getattr(self.settings, name) for name in _REGULATED}
        diverged = None if self.diverged is None else asdict(self.diverged)
        return {**plain, "epochs": [asdict(epoch) for epoch in self.epochs], "diverged": diverged}

    @staticmethod
    def of(facts: Mapping[str, Any], settings: Settings) -> InstanceState:
        """The reverse of `facts`."""
        diverged, regulated = facts["diverged"], facts["regulated"]
        return InstanceState(
            **{
                **{name: value for name, value in facts.items() if name != "regulated"},
                "settings": replace(settings, **regulated),
                "epochs": [Epoch(**one) for one in facts["epochs"]],
                "diverged": None if diverged is None else Divergence(**diverged),
            }
        )


def best_first(histories: Sequence[History]) -> list[int]:
    """The numbers of the instances, that with the lowest held-out measure first, those that failed last."""
    return sorted(range(len(histories)), key=lambda number: histories[number].best)
