"""The compiled epoch: K instances side by side in one program, on JAX.

Each variable has a leading axis over the instances. Where there are several devices (on a CPU one per core,
see `composable.core.backend`), every device has some of the instances. On each device they run under `vmap`,
or one after another inside the program: convolutions on a CPU, where `vmap` would make slow grouped ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from composable.engine.jax_step import Arrays, State, Step
from composable.engine.objective import Batch
from composable.engine.rows import held_out_blocks

Packing = Literal["vmap", "loop"]
Values = tuple[list[np.ndarray], list[np.ndarray]]  # trainable and other ones
_ACROSS = PartitionSpec("instances")
_WHOLE = PartitionSpec()


class Best(NamedTuple):
    """The best values so far, and the measure they reached on held-out rows."""

    trainable: Arrays
    other: Arrays
    measure: Any


class Data(NamedTuple):
    """On the device. Inputs are shared; targets and weights too, or they have a leading axis of instances."""

    inputs: Any
    targets: tuple[Any, ...]
    weights: Any


class Epoch(NamedTuple):
    """The steps of one epoch, each (instances, steps, ...); `counted` is None where every row counts."""

    order: Any
    counted: Any
    curves: dict[str, Any]


@dataclass(eq=False)
class JaxProgram:
    """K instances on their devices, and the programs that train and question them.

    Attributes:
        step: What one step of one instance does.
        data: Rows of all instances.
        own: Whether targets, and weights, have a leading axis of instances.
        state: Of all instances.
        devices: To spread the instances over.
        packing: How several instances run on one device.
    """

    step: Step
    data: Data
    own: tuple[bool, bool]
    state: State
    devices: Sequence[Any]
    packing: Packing
    best: Best = field(init=False)
    losses: Any = field(init=False, default=None)
    _losses_so_far: list[np.ndarray] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._count = len(jax.tree.leaves(self.state)[0])
        self._mesh = Mesh(np.array(self.devices), ("instances",)) if len(self.devices) > 1 else None
        self.state = self._placed(self.state)
        self.data = Data(
            self._placed(self.data.inputs, _WHOLE),
            self._placed(self.data.targets, _ACROSS if self.own[0] else _WHOLE),
            self._placed(self.data.weights, _ACROSS if self.own[1] else _WHOLE),
        )
        kept = jax.tree.map(jnp.copy, (self.state.trainable, self.state.other))
        self.best = Best(*kept, self._placed(np.full(self._count, np.inf, "float32")))
        self._advance = self._compiled(
            self._steps, (True, self._data_axes(), True, True, False, False), (0, 2)
        )
        self._watch = self._compiled(
            self._compared, (True, True, self._data_axes(), True, True, True, True), (1,)
        )
        self._say = self._compiled(self._outputs, (True, True, self._data_axes(), True), ())

    def begin_epoch(
        self, order: np.ndarray, counted: np.ndarray | None, curves: Mapping[str, np.ndarray]
    ) -> None:
        """Bring the batches of an epoch to the devices.

        Args:
            order: (instances, steps, rows of a step) row numbers.
            counted: Which of those count; None for all.
            curves: (instances, steps, ...) each.
        """
        self._epoch = self._placed(Epoch(order, counted, dict(curves)))
        fresh = np.zeros(order.shape[:2], "float32")
        self.losses = self._placed(self._losses_so_far.pop() if self._losses_so_far else fresh)

    def advance(self, first: int, count: int) -> None:
        """Take `count` steps of the epoch from step `first` on; returns before they are done."""
        bounds = (np.int32(first), np.int32(first + count))
        self.state, self.losses = self._advance(self.state, self.data, self.losses, self._epoch, *bounds)

    def watch(self, held_out: tuple[np.ndarray, np.ndarray], active: np.ndarray) -> np.ndarray:
        """Measure on held-out rows, and keep what is better than the best before.

        Args:
            held_out: (instances, blocks, rows) numbers, and which of them count.
            active: (instances,) the others keep their best.

        Returns:
            (instances, 3): the mean loss of the epoch, the number of its first step whose loss isn't finite
            (-1 for none), and the measure, NaN where no row is held out.
        """
        rows, counted = self._placed(held_out)
        self.best, found = self._watch(
            self.state, self.best, self.data, self.losses, rows, counted, self._placed(active)
        )
        return np.asarray(found)[: self._count]

    def measured(self, rows: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(instances,) the measure of the present state on other rows, for instance those learnt from."""
        numbers, counted = self._placed(rows)
        one = self._compiled(self._measured, (True, self._data_axes(), True, True), ())
        return np.asarray(one(self.state, self.data, numbers, counted))[: self._count]

    def outputs(self, rows: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """For each instance one array per head: what its best values say of its rows."""
        numbers, _ = held_out_blocks(rows)
        said = self._say(self.best.trainable, self.best.other, self.data, self._placed(numbers))
        heads = [np.asarray(one).reshape(len(one), -1, *one.shape[3:]) for one in said]
        return [[head[k][: len(rows[k])] for head in heads] for k in range(len(rows))]

    def wait(self) -> None:
        """Until all that was asked for is done."""
        jax.block_until_ready((self.state, self.losses))

    def values(self, *, best: bool = True) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Trainable and other values of all instances, on the host."""
        held = self.best if best else self.state
        return jax.tree.map(lambda x: np.asarray(x)[: self._count], (list(held.trainable), list(held.other)))

    def put(self, number: int, values: Values) -> None:
        """Replace the present values of one instance."""

        def one(new: Any, old: Any) -> Any:
            return old.at[number].set(new)

        held = (self.state.trainable, self.state.other)
        trainable, other = jax.tree.map(one, tuple(map(list, values)), tuple(map(list, held)))
        self.state = self.state._replace(trainable=trainable, other=other)

    def step_losses(self, step: int) -> np.ndarray:
        """(instances,) the losses of one step of the epoch."""
        return np.asarray(self.losses)[: self._count, step]

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything that the training goes on from, bit by bit: values, slots, random states, the best."""
        held = jax.tree.leaves((self.state, self.best, self.losses))
        return {f"{place:05d}": np.asarray(value)[: self._count] for place, value in enumerate(held)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The reverse of `snapshot`; the epoch that was under way goes on after `begin_epoch`."""
        values = [arrays[name] for name in sorted(arrays)]
        kept = jax.tree.structure((self.state, self.best))
        self.state, self.best = self._placed(jax.tree.unflatten(kept, values[: kept.num_leaves]))
        self._losses_so_far = values[kept.num_leaves :]

    def restart_from_best(self, chosen: np.ndarray) -> None:
        """The chosen instances, (instances,) of bool, go on from their best values; their slots stay."""
        mask = self._placed(chosen)

        def back(new: Any, old: Any) -> Any:
            return jnp.where(mask.reshape(-1, *(1 for _ in new.shape[1:])), new, old)

        values = jax.tree.map(
            back, (self.best.trainable, self.best.other), (self.state.trainable, self.state.other)
        )
        self.state = self.state._replace(trainable=values[0], other=values[1])

    def _placed(self, values: Any, across: PartitionSpec = _ACROSS) -> Any:
        if self._mesh is None:
            return jax.tree.map(lambda x: jax.device_put(x, self.devices[0]), values)
        where = NamedSharding(self._mesh, across)
        if across == _ACROSS:
            values = jax.tree.map(self._filled, values)
        return jax.tree.map(lambda x: jax.device_put(x, where), values)

    def _filled(self, values: Any) -> np.ndarray:
        """Every device has as many instances: the last one is repeated where they don't divide evenly."""
        missing = -self._count % len(self.devices)
        return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)]) if missing else values

    def _data_axes(self) -> Data:
        own_targets, own_weights = self.own
        return Data(inputs=False, targets=own_targets, weights=own_weights)

    def _compiled(self, function: Any, axes: tuple[Any, ...], donated: tuple[int, ...]) -> Any:
        """`function` of one instance for all of them; `axes` says what has a leading axis of instances."""
        packed = partial(_packed, function, axes, self.packing)
        if self._mesh is not None:
            specs = tuple(jax.tree.map(lambda own: _ACROSS if own else _WHOLE, one) for one in axes)
            packed = jax.shard_map(
                packed, mesh=self._mesh, in_specs=specs, out_specs=_ACROSS, check_vma=False
            )
        return jax.jit(packed, donate_argnums=donated)

    def _steps(
        self, state: State, data: Data, losses: Any, epoch: Epoch, first: Any, last: Any
    ) -> tuple[State, Any]:
        def one(number: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
            state, losses = carry
            rows, counted, curve = jax.tree.map(lambda x: x[number], tuple(epoch))
            batch = Batch(*jax.tree.map(lambda x: x[rows], tuple(data[:2])), counted, _at(data.weights, rows))
            state, loss = self.step(state, batch, curve)
            return state, losses.at[number].set(loss)

        return jax.lax.fori_loop(first, last, one, (state, losses))

    def _compared(
        self, state: State, best: Best, data: Data, losses: Any, rows: Any, counted: Any, active: Any
    ) -> tuple[Best, Any]:
        measure = self._measured(state, data, rows, counted)
        wrong = jnp.logical_not(jnp.isfinite(losses))
        bad = jnp.where(wrong.any(), jnp.argmax(wrong), -1)
        nothing_held_out = jnp.logical_not(counted.any())
        improved = active & (bad < 0) & ((measure < best.measure) | nothing_held_out)
        now = Best(*self.step.deployed(state), measure)
        best = jax.tree.map(lambda new, old: jnp.where(improved, new, old), now, best)
        return best, jnp.stack([losses.mean(), bad.astype("float32"), measure])

    def _measured(self, state: State, data: Data, rows: Any, counted: Any) -> Any:
        trainable, other = self.step.deployed(state)

        def one(block: tuple[Any, Any]) -> Any:
            numbers, present = block
            inputs, targets = jax.tree.map(lambda x: x[numbers], tuple(data[:2]))
            return self.step.measures(trainable, other, Batch(inputs, targets, present, None))

        total = jnp.float32(0.0)
        for goal, (each, count) in zip(self.step.goals, jax.lax.map(one, (rows, counted)), strict=True):
            total = total + goal.weight * jnp.where(count.sum() > 0, each.sum() / count.sum(), 0.0)
        return jnp.where(counted.any(), total, jnp.nan)

    def _outputs(self, trainable: Arrays, other: Arrays, data: Data, rows: Any) -> list[Any]:
        def one(numbers: Any) -> list[Any]:
            inputs = jax.tree.map(lambda x: x[numbers], data.inputs)
            return self.step.outputs(trainable, other, inputs)

        return jax.lax.map(one, rows)


def _packed(function: Any, axes: tuple[Any, ...], packing: Packing, *given: Any) -> Any:
    """One instance's function on several: side by side, or one after another."""
    places = tuple(jax.tree.map(lambda own: 0 if own else None, one) for one in axes)
    count = len(jax.tree.leaves(given[0])[0])
    if count > 1 and packing == "vmap":
        return jax.vmap(function, in_axes=places)(*given)
    flat, owned, tree = _split(given, axes)

    def one(values: list[Any]) -> Any:
        return function(*_joined(flat, owned, values, tree))

    if count == 1:
        only = one([flat[place][0] for place in owned])
        return jax.tree.map(lambda x: x[None], only)
    return jax.lax.map(one, [flat[place] for place in owned])


def _split(given: tuple[Any, ...], axes: tuple[Any, ...]) -> tuple[list[Any], list[int], Any]:
    """The leaves of the arguments, which of them have a leading axis of instances, and the tree they are."""
    owns = jax.tree.broadcast(axes, given)
    flat, tree = jax.tree.flatten(given)
    return flat, [place for place, own in enumerate(jax.tree.leaves(owns)) if own], tree


def _joined(flat: list[Any], owned: list[int], values: list[Any], tree: Any) -> tuple[Any, ...]:
    leaves = list(flat)
    for place, value in zip(owned, values, strict=True):
        leaves[place] = value
    return jax.tree.unflatten(tree, leaves)


def _at(values: Any, rows: Any) -> Any:
    return None if values is None else values[rows]
