"""One step of one instance on JAX, how its function becomes that of all instances, and where these lie.

The step, and what is watched between epochs, are pure functions of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

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


Packing = Literal["vmap", "loop"]
_ACROSS = PartitionSpec("instances")
WHOLE = PartitionSpec()
CONVOLUTIONS_ON_ALL_CORES = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
"""YNNPACK, XLA's choice for them, computes each convolution on one core; sums it computes on all."""


@dataclass(frozen=True, eq=False, repr=False)  # `jit` takes the text of its arguments
class Spread:
    """Where instances are.

    Attributes:
        devices: Each has as many instances.
        packing: How several instances run on one device: side by side under `vmap`, or one after another.
    """

    devices: Sequence[Any]
    packing: Packing

    def placed(self, values: Any, across: PartitionSpec = _ACROSS) -> Any:
        """Arrays on the devices: their leading axis, of instances, divided, or everything on each device."""
        if len(self.devices) == 1:
            return jax.tree.map(lambda x: jax.device_put(x, self.devices[0]), values)
        where = NamedSharding(self._mesh, across)
        if across == _ACROSS:
            values = jax.tree.map(self._filled, values)
        return jax.tree.map(lambda x: jax.device_put(x, where), values)

    def compiled(
        self, function: Callable[..., Any], axes: tuple[Any, ...], donated: tuple[int, ...] = ()
    ) -> Any:
        """`function` of one instance for all of them.

        Args:
            function: Of arrays.
            axes: For each argument, or part of one, whether it has a leading axis of instances.
            donated: Which arguments' buffers the results may take.
        """
        packed = partial(_packed, function, axes, self.packing)
        if len(self.devices) > 1:
            specs = tuple(jax.tree.map(lambda own: _ACROSS if own else WHOLE, one) for one in axes)
            packed = jax.shard_map(
                packed, mesh=self._mesh, in_specs=specs, out_specs=_ACROSS, check_vma=False
            )
        return jax.jit(packed, donate_argnums=donated, compiler_options=compiler_options())

    @property
    def _mesh(self) -> Mesh:
        return Mesh(np.array(self.devices), ("instances",))

    def _filled(self, values: Any) -> np.ndarray:
        """The last instance is repeated where they don't divide evenly over the devices."""
        missing = -len(values) % len(self.devices)
        return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)]) if missing else values


def _packed(function: Any, axes: tuple[Any, ...], packing: Packing, *arguments: Any) -> Any:
    """One instance's function on several: side by side, or one after another."""
    leading = tuple(jax.tree.map(lambda own: 0 if own else None, one) for one in axes)
    count = len(jax.tree.leaves(arguments[0])[0])
    if count > 1 and packing == "vmap":
        return jax.vmap(function, in_axes=leading)(*arguments)
    flat, owned, tree = _split(arguments, axes)

    def one(values: list[Any]) -> Any:
        return function(*_joined(flat, owned, values, tree))

    if count == 1:
        only = one([flat[index][0] for index in owned])
        return jax.tree.map(lambda x: x[None], only)
    return jax.lax.map(one, [flat[index] for index in owned])


def _split(arguments: tuple[Any, ...], axes: tuple[Any, ...]) -> tuple[list[Any], list[int], Any]:
    """The leaves of the arguments, which of them have a leading axis of instances, and the tree they are."""
    owns = jax.tree.broadcast(axes, arguments)
    flat, tree = jax.tree.flatten(arguments)
    return flat, [index for index, own in enumerate(jax.tree.leaves(owns)) if own], tree


def _joined(flat: list[Any], owned: list[int], values: list[Any], tree: Any) -> tuple[Any, ...]:
    leaves = list(flat)
    for index, value in zip(owned, values, strict=True):
        leaves[index] = value
    return jax.tree.unflatten(tree, leaves)


@cache
def compiler_options() -> dict[str, str]:
    """For `jax.jit`; empty on other devices, and where XLA has no such option (yet, or any more)."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=CONVOLUTIONS_ON_ALL_CORES).lower().compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return CONVOLUTIONS_ON_ALL_CORES
