"""The compiled epoch: K instances side by side in one program, on JAX.

Each variable has a leading axis over the instances. Where there are several devices (on a CPU one per core,
see `composable.core.backend`), every device has some of the instances. On each device they run under `vmap`,
or one after another inside the program: convolutions on a CPU, where `vmap` would make slow grouped ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from composable.engine.jax_step import WHOLE, Arrays, Spread, State, Step
from composable.engine.objective import Batch
from composable.engine.rows import Rows, as_model_input, held_out_blocks

Values = tuple[list[np.ndarray], list[np.ndarray]]  # trainable and other ones


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


@dataclass(eq=False, repr=False)  # `jit` takes the text of its arguments
class JaxProgram:
    """K instances on their devices, and the programs that train them and compute their outputs.

    Attributes:
        step: What one step of one instance does.
        data: Rows of all instances.
        own: Whether targets, and weights, have a leading axis of instances.
        state: Of all instances.
        spread: Where the instances are.
        best: Of all instances.
        losses: (instances, steps) of the epoch so far.
        running: The numbers of the instances that are on the devices; see `pack`.
    """

    step: Step
    data: Data
    own: tuple[bool, bool]
    state: State
    spread: Spread
    best: Best = field(init=False)
    losses: Any = field(init=False, default=None)
    running: np.ndarray = field(init=False)
    _finished: dict[int, tuple[State, Best]] = field(init=False, default_factory=dict)
    _losses_so_far: list[np.ndarray] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._count = len(jax.tree.leaves(self.state)[0])
        self.running = np.arange(self._count)
        # Memory of their own: each step gives the state's away.
        kept = jax.tree.map(np.copy, (self.state.trainable, self.state.other))
        self.state = self.spread.placed(self.state)
        self._source = self.data
        self.data = self._shown = self._on_devices(self._source)
        self.best = self.spread.placed(Best(kept[0], kept[1], np.full(self._count, np.inf, "float32")))
        own_targets, own_weights = self.own
        axes: Any = (False, own_targets, own_weights)
        data = Data(*axes)
        compiled = self.spread.compiled
        self._advance = compiled(self._steps, (True, data, True, True, False, False), donated=(0, 2))
        self._watch = compiled(self._compared, (True, True, data, True, True, True, True), donated=(1,))
        self._keep = compiled(self._kept, (True, True, True), donated=(1,))
        self._measure = compiled(self._measured, (True, data, True, True))
        self._predict = compiled(self._outputs, (True, True, False, True))

    def show(self, rows: Rows) -> None:
        """Train on other rows from here on, as many each time; those that are watched stay."""
        inputs = as_model_input(self.step.model, rows.inputs)
        self._shown = self.spread.placed(Data(inputs, rows.targets, rows.weights), WHOLE)

    def begin_epoch(
        self, order: np.ndarray, counted: np.ndarray | None, curves: Mapping[str, np.ndarray]
    ) -> None:
        """Bring the batches of an epoch to the devices.

        Args:
            order: (instances, steps, rows of a step) row numbers.
            counted: Which of those count; None for all.
            curves: (instances, steps, ...) each.
        """
        losses = self._losses_so_far.pop() if self._losses_so_far else np.zeros(order.shape[:2], "float32")
        epoch = Epoch(order, counted, dict(curves))
        self._epoch, self.losses = self._of_running((epoch, losses))

    def advance(self, first: int, count: int) -> None:
        """Take `count` steps of the epoch from step `first` on; returns before they are done."""
        bounds = (np.int32(first), np.int32(first + count))
        self.state, self.losses = self._advance(self.state, self._shown, self.losses, self._epoch, *bounds)

    def watch(self, held_out: tuple[np.ndarray, np.ndarray], active: np.ndarray) -> np.ndarray:
        """Measure on held-out rows, and keep what is better than the best before.

        Args:
            held_out: (instances, blocks, rows) numbers, and which of them count.
            active: (instances,) the others keep their best.

        Returns:
            (instances,) the measure, NaN where no row is held out.
        """
        if not held_out[1].any():  # then a network needn't be compiled for it
            held_out = (held_out[0][:, :0], held_out[1][:, :0])
        rows, counted, wanted = self._of_running((*held_out, active))
        self.best, found = self._watch(self.state, self.best, self.data, self.losses, rows, counted, wanted)
        return self._on_host(found)

    def keep(self, chosen: np.ndarray) -> None:
        """Keep the present values of the chosen instances, (instances,) of bool, as their best."""
        self.best = self._keep(self.state, self.best, self._of_running(chosen))

    def measured(self, rows: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(instances,) the measure of the present state on other rows, for instance those learned from."""
        return self._on_host(self._measure(self.state, self.data, *self._of_running(rows)))

    def outputs(self, rows: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """For each instance the outputs of its best values for its rows, one array per head."""
        numbers, _ = held_out_blocks(rows)
        best = self._full(self.best, 1) if self._finished else self.best
        values = self.spread.placed((best.trainable, best.other)) if self._finished else best[:2]
        outputs = self._predict(*values, self.data.inputs, self.spread.placed(numbers))
        heads = [np.asarray(one).reshape(len(one), -1, *one.shape[3:]) for one in outputs]
        return [[head[k][: len(rows[k])] for head in heads] for k in range(len(rows))]

    def wait(self) -> None:
        """Return once all steps that were begun are done."""
        jax.block_until_ready((self.state, self.losses))

    def values(self, *, best: bool = True) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Trainable and other values of all instances, on the host."""
        held = self._full(self.best, 1) if best else self._full(self.state, 0)
        return list(held.trainable), list(held.other)

    def slots(self) -> list[np.ndarray]:
        """The optimizer's variables of all instances, on the host."""
        return list(self._full(self.state, 0).slots)

    def put(self, number: int, values: Values) -> None:
        """Replace the present values of one instance."""
        if number in self._finished:
            state, best = self._finished[number]
            self._finished[number] = state._replace(trainable=values[0], other=values[1]), best
            return
        index = int(np.flatnonzero(self.running == number)[0])

        def one(new: Any, old: Any) -> Any:
            return old.at[index].set(new)

        held = (self.state.trainable, self.state.other)
        trainable, other = jax.tree.map(one, tuple(map(list, values)), tuple(map(list, held)))
        self.state = self.state._replace(trainable=trainable, other=other)

    def epoch_losses(self) -> np.ndarray:
        """(instances, steps) the losses of the epoch so far, 0 for the steps to come."""
        if self.losses is None:  # no epoch was begun here: those that it was restored with, if it was
            return self._losses_so_far[0] if self._losses_so_far else np.zeros((self._count, 0), "float32")
        return self._on_host(self.losses)

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything that the training goes on from, bit by bit: values, slots, random states, the best."""
        held = jax.tree.leaves((self._full(self.state, 0), self._full(self.best, 1), self.epoch_losses()))
        return {f"{index:05d}": np.asarray(value) for index, value in enumerate(held)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The reverse of `snapshot`; the epoch that was under way goes on after `begin_epoch`."""
        values = [arrays[name] for name in sorted(arrays)]
        kept = jax.tree.structure((self.state, self.best))
        self.state, self.best = self.spread.placed(jax.tree.unflatten(kept, values[: kept.num_leaves]))
        self.running, self._finished = np.arange(self._count), {}
        self._losses_so_far = values[kept.num_leaves :]

    def pack(self, active: np.ndarray) -> None:
        """Take the instances that aren't active off the devices; the others are compiled anew, for fewer."""
        states, bests = self._full(self.state, 0), self._full(self.best, 1)
        self._finished = {
            int(number): jax.tree.map(lambda x, number=number: x[number], (states, bests))
            for number in np.flatnonzero(~active)
        }
        self.running = np.flatnonzero(active)
        self.state, self.best = self._of_running((states, bests))
        if any(self.own):
            self.data = self._shown = self._on_devices(self._source)

    def restart_from_best(self, chosen: np.ndarray) -> None:
        """The chosen instances, (instances,) of bool, go on from their best values; their slots stay."""
        mask = self._of_running(chosen)

        def back(new: Any, old: Any) -> Any:
            return jnp.where(mask.reshape(-1, *(1 for _ in new.shape[1:])), new, old)

        values = jax.tree.map(
            back, (self.best.trainable, self.best.other), (self.state.trainable, self.state.other)
        )
        self.state = self.state._replace(trainable=values[0], other=values[1])

    def _on_devices(self, data: Data) -> Data:
        own_targets, own_weights = self.own
        whole = self.spread.placed
        return Data(
            whole(data.inputs, WHOLE),
            self._of_running(data.targets) if own_targets else whole(data.targets, WHOLE),
            self._of_running(data.weights) if own_weights else whole(data.weights, WHOLE),
        )

    def _of_running(self, values: Any) -> Any:
        """On the devices, from arrays of all instances."""
        if self._finished:
            values = jax.tree.map(lambda x: np.asarray(x)[self.running], values)
        return self.spread.placed(values)

    def _on_host(self, values: Any) -> np.ndarray:
        """On the host, for all instances, from the devices; NaN for those that are no more."""
        values = np.asarray(values)[: len(self.running)]
        if not self._finished:
            return values
        found = np.full((self._count, *values.shape[1:]), np.nan, values.dtype)
        found[self.running] = values
        return found

    def _full(self, running: Any, finished: int) -> Any:
        """Host arrays of all instances: those on the devices, and those that are no more."""
        held = jax.tree.map(np.asarray, running)
        if not self._finished:
            return jax.tree.map(lambda x: x[: self._count], held)
        each = dict(zip(self.running.tolist(), range(len(self.running)), strict=True))

        def one(number: int) -> Any:
            if number in each:
                return jax.tree.map(lambda x: x[each[number]], held)
            return self._finished[number][finished]

        return jax.tree.map(lambda *values: np.stack(values), *map(one, range(self._count)))

    def _steps(
        self, state: State, data: Data, losses: Any, epoch: Epoch, first: Any, last: Any
    ) -> tuple[State, Any]:
        def one(number: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
            state, losses = carry
            rows, counted, curve = jax.tree.map(lambda x: x[number], tuple(epoch))
            inputs, targets = jax.tree.map(lambda x: x[rows], tuple(data[:2]))
            batch = Batch(inputs, targets, counted, _at(data.weights, rows))
            state, loss = self.step(state, batch, curve)
            return state, losses.at[number].set(loss)

        return jax.lax.fori_loop(first, last, one, (state, losses))

    def _compared(
        self, state: State, best: Best, data: Data, losses: Any, rows: Any, counted: Any, active: Any
    ) -> tuple[Best, Any]:
        measure = self._measured(state, data, rows, counted)
        nothing_held_out = jnp.logical_not(counted.any())
        better = (measure < best.measure) | nothing_held_out
        improved = active & jnp.isfinite(losses).all() & better
        now = Best(*self.step.deployed(state), measure)
        return jax.tree.map(lambda new, old: jnp.where(improved, new, old), now, best), measure

    def _kept(self, state: State, best: Best, chosen: Any) -> Best:
        now = Best(*self.step.deployed(state), best.measure)
        return jax.tree.map(lambda new, old: jnp.where(chosen, new, old), now, best)

    def _measured(self, state: State, data: Data, rows: Any, counted: Any) -> Any:
        if not counted.size:
            return jnp.float32(jnp.nan)
        trainable, other = self.step.deployed(state)

        def one(block: tuple[Any, Any]) -> Any:
            numbers, present = block
            inputs, targets = jax.tree.map(lambda x: x[numbers], tuple(data[:2]))
            batch = Batch(inputs, targets, present, _at(data.weights, numbers))
            return self.step.measures(trainable, other, batch)

        total = jnp.float32(0.0)
        for goal, (each, weights) in zip(self.step.goals, jax.lax.map(one, (rows, counted)), strict=True):
            total = total + goal.weight * jnp.where(weights.sum() > 0, each.sum() / weights.sum(), 0.0)
        return jnp.where(counted.any(), total, jnp.nan)

    def _outputs(self, trainable: Arrays, other: Arrays, inputs: Any, rows: Any) -> list[Any]:
        def one(numbers: Any) -> list[Any]:
            return self.step.outputs(trainable, other, jax.tree.map(lambda x: x[numbers], inputs))

        return jax.lax.map(one, rows)


def _at(values: Any, rows: Any) -> Any:
    return None if values is None else values[rows]
