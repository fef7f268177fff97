"""What a training may do beside training: report epochs, halve the instances, call back, save itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import keras
import numpy as np

from composable.core.errors import ConfigError
from composable.engine.cohort import Cohort
from composable.engine.history import Epoch, InstanceState
from composable.engine.optimizer import rate_indices
from composable.engine.rows import on_host

_BATCHES = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


@dataclass(eq=False)
class Callbacks:
    """The callbacks of a training.

    Args:
        callbacks: Of a cohort of one; of a larger one, a function from an instance's number to its callbacks,
            since each keeps a state of its own.
        notify: Receives messages for the user.
    """

    callbacks: Sequence[keras.callbacks.Callback] | Callable[[int], Sequence[keras.callbacks.Callback]]
    notify: Callable[[str], None] = lambda _text: None
    every_batch: bool = field(init=False, default=False)

    def begin(self, cohort: Cohort) -> None:
        """Bind them to the cohort's model, which is compiled if the user hasn't done so.

        Raises:
            ConfigError: If several instances would share callbacks.
        """
        self._cohort, self._model = cohort, cohort.model
        if callable(self.callbacks):
            each = [self.callbacks(number) for number in range(len(cohort))]
        elif len(cohort) == 1:
            each = [self.callbacks]
        else:
            raise ConfigError(
                "Each instance of a cohort has callbacks of its own.",
                received=f"one list for {len(cohort)} instances",
                remedy="give a function from the instance's number to its callbacks",
            )
        if getattr(self._model, "optimizer", None) is None:
            self._model.compile(optimizer="sgd", loss=None)
        self._settable = rate_indices(self._model.optimizer)[0] is not None  # not if it has its own schedule
        steps = cohort.batch_plan.steps
        params: dict[str, Any] = {"epochs": cohort.settings.epochs, "steps": steps, "verbose": 0}
        self._lists = [keras.callbacks.CallbackList(list(one), model=self._model, **params) for one in each]
        slow = [type(one).__name__ for some in each for one in some if _wants_batches(one)]
        self.every_batch = bool(slow)
        if slow:
            self.notify(
                f"{', '.join(sorted(set(slow)))} has methods for every batch: steps are taken one by one, "
                "which is slower"
            )
        for number, callbacks in enumerate(self._lists):
            self._enter(number)
            self._model.stop_training = False
            callbacks.on_train_begin()
            self._leave(number)

    def begin_epoch(
        self, epoch: int, states: Sequence[InstanceState], curves: Sequence[Mapping[str, np.ndarray]]
    ) -> None:
        """Notify the callbacks that an epoch begins; a learning rate that they set holds for it."""
        self._rates = [float(curve["rate"][0]) for curve in curves]
        for number, one in self._running(states):
            self._enter(number)
            self._lists[number].on_epoch_begin(epoch)
            self._take_back(number, one)

    def end_batch(self, batch: int) -> None:
        """Notify the callbacks that a batch of all instances ended."""
        losses = self._cohort.program.epoch_losses()[:, batch]
        for number, callbacks in enumerate(self._lists):
            self._enter(number)
            callbacks.on_train_batch_begin(batch)
            callbacks.on_train_batch_end(batch, {"loss": float(losses[number])})
            self._leave(number)

    def end_epoch(self, epoch: int, states: Sequence[InstanceState]) -> None:
        """Notify the callbacks that an epoch ended, with `loss` and `val_loss`."""
        for number, one in enumerate(states):
            if not one.epochs or one.epochs[-1].epoch != epoch:
                continue
            self._enter(number)
            logs = {"loss": one.epochs[-1].loss, "val_loss": one.epochs[-1].held_out}
            self._lists[number].on_epoch_end(epoch, logs)
            self._take_back(number, one)

    def end(self) -> None:
        """Notify the callbacks that the training ended."""
        for number, callbacks in enumerate(self._lists):
            self._enter(number)
            callbacks.on_train_end()
            self._leave(number)

    def _running(self, states: Sequence[InstanceState]) -> list[tuple[int, InstanceState]]:
        return [(number, one) for number, one in enumerate(states) if one.stopped is None]

    def _take_back(self, number: int, one: InstanceState) -> None:
        before = self._rates[number]
        now = float(on_host(self._model.optimizer.learning_rate))
        if self._settable and now != np.float32(before) and before > 0:
            one.rate *= now / before
            self._rates[number] = now
        if getattr(self._model, "stop_training", False):
            one.stopped = one.stopped or "callback"
        self._leave(number)

    def _enter(self, number: int) -> None:
        """Bring an instance's values and learning rate into the model."""
        self._before = self._cohort.weights(best=False)[number]
        self._model.set_weights(self._before)
        self._model.stop_training = False
        if hasattr(self, "_rates") and self._settable:
            self._model.optimizer.learning_rate = self._rates[number]

    def _leave(self, number: int) -> None:
        """Bring what a callback changed back into the program."""
        after = self._model.get_weights()
        if not all(np.array_equal(a, b) for a, b in zip(after, self._before, strict=True)):
            self._cohort.put(number, after)


def _wants_batches(callback: keras.callbacks.Callback) -> bool:
    kind = type(callback)
    return any(getattr(kind, name) is not getattr(keras.callbacks.Callback, name) for name in _BATCHES)


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
