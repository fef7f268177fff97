"""One step of one instance on JAX, and what is watched between epochs: pure functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from composable.design.part import Part
from composable.engine.augment import augmented, moved
from composable.engine.averaging import Average, averaged, continued, start_average, update_average
from composable.engine.objective import Batch, Goal, batch_loss, flat, hardest, measures, perturbed

Arrays = list[Any]


class State(NamedTuple):
    """All that a step changes; with a leading axis, that of a whole cohort."""

    trainable: Arrays
    other: Arrays
    slots: Arrays
    average: Any


@dataclass(frozen=True, eq=False, repr=False)  # `jit` takes the text of its arguments
class Step:
    """A step: forward, backward, update.

    Attributes:
        model: The training copy; called by `stateless_call` alone, so its own values never change.
        optimizer: Built for the model's trainable variables.
        goals: One per output.
        augment: What is done to images.
        hardest_share: Of the batch that is learned from.
        sam: Radius; 0 for none.
        averaging: Of the weights; None for none.
        dropout: The indices of the dropout rates among the model's non-trainable variables.
        rates: The indices of learning rate and weight decay among the optimizer's variables; see
            `rate_indices`.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    goals: tuple[Goal, ...]
    dropout: tuple[int, ...]
    rates: tuple[int | None, int | None]
    augment: tuple[Part, ...] = ()
    hardest_share: float = 1.0
    sam: float = 0.0
    averaging: Average | None = None

    def begin(self, trainable: Arrays, other: Arrays, slots: Arrays) -> State:
        """The state before the first step."""
        averages = start_average(self.averaging, [*trainable, *other]) if self.averaging else ()
        return State(trainable, other, slots, averages)

    def __call__(self, state: State, batch: Batch, curve: Mapping[str, Any]) -> tuple[State, Any]:
        """The state after a step, and the loss before it.

        Args:
            state: Of one instance.
            batch: Rows first.
            curve: The scalars of `settings.curves` at this step.
        """
        if self.augment:
            drawn = curve["augment"]
            batch = batch._replace(
                inputs=augmented(self.augment, batch.inputs, drawn),
                targets=moved(self.augment, batch.targets, drawn),
            )
        if self.hardest_share < 1:
            outputs = self.outputs(state.trainable, state.other, batch.inputs)
            batch = hardest(self.goals, outputs, batch, self.hardest_share)
        trainable, rates = state.trainable, [state.other[index] for index in self.dropout]
        other = _replaced(state.other, self.dropout, [rate * curve["dropout"] for rate in rates])
        loss, gradients, after = self._gradients(trainable, other, batch, curve)
        if self.sam:
            uphill = perturbed(trainable, gradients, self.sam)
            _, gradients, _ = self._gradients(uphill, other, batch, curve)
        after = _replaced(after, self.dropout, rates)
        now = {p: curve[name] for p, name in zip(self.rates, ("rate", "decay"), strict=True) if p is not None}
        slots = _replaced(state.slots, tuple(now), tuple(now.values()))
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        if self.averaging is None:
            return State(trainable, after, slots, state.average), loss
        values = [*trainable, *after]
        average = update_average(self.averaging, state.average, values, curve["progress"])
        values = continued(self.averaging, average, values)
        return State(values[: len(trainable)], values[len(trainable) :], slots, average), loss

    def deployed(self, state: State) -> tuple[Arrays, Arrays]:
        """The trainable and other values that are watched and kept: averaged, if there is an average."""
        if self.averaging is None:
            return state.trainable, state.other
        values = averaged(self.averaging, state.average, [*state.trainable, *state.other])
        return values[: len(state.trainable)], values[len(state.trainable) :]

    def outputs(self, trainable: Arrays, other: Arrays, inputs: Any) -> list[Any]:
        """The outputs of the network, not training; one array per head, float32."""
        outputs, _ = self.model.stateless_call(trainable, other, inputs, training=False)
        return [one.astype("float32") for one in flat(outputs)]

    def measures(self, trainable: Arrays, other: Arrays, batch: Batch) -> list[tuple[Any, Any]]:
        """Per head the weighted sum of the measure over the rows that count, and the sum of their weights."""
        return measures(self.goals, self.outputs(trainable, other, batch.inputs), batch)

    def _gradients(
        self, trainable: Arrays, other: Arrays, batch: Batch, curve: Mapping[str, Any]
    ) -> tuple[Any, Arrays, Arrays]:
        found = jax.value_and_grad(self._loss, has_aux=True)(trainable, other, batch, curve)
        (loss, after), gradients = found
        return loss, gradients, after

    def _loss(
        self, trainable: Arrays, other: Arrays, batch: Batch, curve: Mapping[str, Any]
    ) -> tuple[Any, Arrays]:
        def call(inputs: Any) -> tuple[Any, Arrays, Sequence[Any]]:
            return self.model.stateless_call(trainable, other, inputs, training=True, return_losses=True)

        return batch_loss(self.goals, call, batch, curve)


def _replaced(values: Sequence[Any], indices: Sequence[int], new: Sequence[Any]) -> Arrays:
    found = list(values)
    for index, value in zip(indices, new, strict=True):
        found[index] = jnp.asarray(value, found[index].dtype)
    return found
