"""A cohort's program on TensorFlow and PyTorch: one instance after another, batch by batch.

The training copy, optimizer, losses, rows, order and curves are the same as on JAX: the results agree but for
rounding and for the masks of dropout, which each backend draws in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from composable.engine.augment import augmented, moved
from composable.engine.averaging import averaged, continued, start_average, update_average
from composable.engine.objective import Batch, batch_loss, flat, hardest, measures, perturbed
from composable.engine.optimizer import rate_indices
from composable.engine.rows import Rows, as_model_input, held_out_blocks, on_host
from composable.engine.training_copy import dropout_rates

if TYPE_CHECKING:
    from composable.engine.cohort import Cohort

Arrays = list[np.ndarray]
Gradients = Callable[[Callable[[], Any], Sequence[keras.Variable]], tuple[Any, list[Any]]]


@dataclass(eq=False)
class InstanceValues:
    """The values of one instance, kept here while another one is in the network."""

    trainable: Arrays
    other: Arrays
    slots: Arrays
    average: Any
    best: tuple[Arrays, Arrays]
    measure: float = float("inf")


@dataclass(eq=False)
class KerasProgram:
    """The instances of a cohort, one of them in the network at a time."""

    cohort: Cohort
    held: list[InstanceValues] = field(init=False)

    def __post_init__(self) -> None:
        self._network, self._optimizer = (
            self.cohort.training_copy,
            self.cohort.settings.optimizer.build(self.cohort.training_copy),
        )
        self._rates = dropout_rates(self._network)
        self._average = self.cohort.settings.averaging
        slots = _arrays(self._optimizer.variables)
        self.held = [
            InstanceValues(
                trainable, other, slots, self._start_average([*trainable, *other]), (trainable, other)
            )
            for trainable, other in self.cohort.starts()
        ]
        self._current: int | None = None
        self._losses_so_far: np.ndarray | None = None
        self._running = np.arange(len(self.held))
        self._shown = self.cohort.rows
        self._update, self._predict = _compiled(self._learn), _compiled(self._outputs)

    def begin_epoch(
        self, order: np.ndarray, counted: np.ndarray | None, curves: Mapping[str, np.ndarray]
    ) -> None:
        """As `JaxProgram.begin_epoch`."""
        self._order, self._counted, self._curves = order, counted, curves
        fresh = np.zeros(order.shape[:2], "float32")
        self._losses, self._losses_so_far = (
            fresh if self._losses_so_far is None else self._losses_so_far,
            None,
        )

    def advance(self, first: int, count: int) -> None:
        """As `JaxProgram.advance`; returns when the steps are done."""
        for number in map(int, self._running):
            self._enter(number)
            base = [float(on_host(rate)) for rate in self._rates]
            for step in range(first, first + count):
                self._losses[number, step] = self._step(number, step, base)
            for rate, value in zip(self._rates, base, strict=True):
                rate.assign(value)

    def wait(self) -> None:
        """Return at once: no step is under way."""

    def watch(self, held_out: tuple[np.ndarray, np.ndarray], active: np.ndarray) -> np.ndarray:
        """As `JaxProgram.watch`."""
        reached = self.measured(held_out)
        for number, held in enumerate(self.held):
            losses, measure = self._losses[number], reached[number]
            better = measure < held.measure or not held_out[1][number].any()
            if active[number] and np.isfinite(losses).all() and better:
                self._enter(number)
                held.measure = float(measure)
                held.best = self._deployed(number)
        return reached

    def keep(self, chosen: np.ndarray) -> None:
        """As `JaxProgram.keep`."""
        for number in map(int, np.flatnonzero(chosen)):
            self._enter(number)
            self.held[number].best = self._deployed(number)

    def measured(self, rows: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """As `JaxProgram.measured`."""
        return np.array([self._measure(number, *each) for number, each in enumerate(zip(*rows, strict=True))])

    def outputs(self, rows: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """As `JaxProgram.outputs`."""
        self._leave()
        numbers, _ = held_out_blocks(rows)
        found = []
        for number, (held, chosen) in enumerate(zip(self.held, rows, strict=True)):
            self._hold(*held.best)
            outputs = [self._predicted(number, block) for block in numbers[number]]
            found.append([np.concatenate(head)[: len(chosen)] for head in zip(*outputs, strict=True)])
        return found

    def restart_from_best(self, chosen: np.ndarray) -> None:
        """As `JaxProgram.restart_from_best`."""
        self._leave()
        for number in np.flatnonzero(chosen):
            self.held[number].trainable, self.held[number].other = self.held[number].best

    def values(self, *, best: bool = True) -> tuple[Arrays, Arrays]:
        """As `JaxProgram.values`."""
        self._leave()
        each = [held.best if best else (held.trainable, held.other) for held in self.held]
        trainable, other = (
            [np.stack(v) for v in zip(*kind, strict=True)] for kind in zip(*each, strict=True)
        )
        return trainable, other

    def slots(self) -> Arrays:
        """As `JaxProgram.slots`."""
        self._leave()
        return [np.stack(values) for values in zip(*(held.slots for held in self.held), strict=True)]

    def put(self, number: int, values: tuple[Arrays, Arrays]) -> None:
        """As `JaxProgram.put`."""
        self._leave()
        self.held[number].trainable, self.held[number].other = values

    def epoch_losses(self) -> np.ndarray:
        """As `JaxProgram.epoch_losses`."""
        return self._losses

    def show(self, rows: Rows) -> None:
        """As `JaxProgram.show`."""
        self._shown = rows

    def pack(self, active: np.ndarray) -> None:
        """Train the active instances alone from here on."""
        self._running = np.flatnonzero(active)

    def snapshot(self) -> dict[str, np.ndarray]:
        """As `JaxProgram.snapshot`."""
        self._leave()
        kept = [[_tree(held) for held in self.held], self._losses]
        flat = keras.tree.flatten(kept)
        return {f"{index:05d}": np.asarray(ops.convert_to_numpy(x)) for index, x in enumerate(flat)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """As `JaxProgram.restore`."""
        self._current = None
        *values, self._losses_so_far = (arrays[name] for name in sorted(arrays))
        trees = keras.tree.pack_sequence_as([_tree(held) for held in self.held], values)
        for held, (trainable, other, slots, average, best, measure) in zip(self.held, trees, strict=True):
            held.trainable, held.other, held.slots, held.average = trainable, other, slots, average
            held.best, held.measure = tuple(best), float(measure)

    def _step(self, number: int, step: int, base: Sequence[float]) -> float:
        curve = {name: ops.convert_to_tensor(v[number, step]) for name, v in self._curves.items()}
        for index, name in zip(rate_indices(self._optimizer), ("rate", "decay"), strict=True):
            if index is not None:
                self._optimizer.variables[index].assign(curve[name])
        for rate, value in zip(self._rates, base, strict=True):
            rate.assign(value * float(on_host(curve["dropout"])))
        counted = None if self._counted is None else self._counted[number, step]
        batch = self._batch(self._shown, number, self._order[number, step], counted)
        loss = self._update(batch, curve)
        if self._average is not None:
            held, variables = self.held[number], self._variables
            values = [variable.value for variable in variables]
            held.average = update_average(self._average, held.average, values, curve["progress"])
            _assign(variables, continued(self._average, held.average, values))
        return float(on_host(loss))

    def _learn(self, batch: Batch, curve: Mapping[str, Any]) -> Any:
        """One step: forward, backward, update; the loss before it."""
        variables = self._network.trainable_variables
        if augment := self.cohort.settings.augment:
            drawn = curve["augment"]
            batch = batch._replace(
                inputs=augmented(augment, batch.inputs, drawn), targets=moved(augment, batch.targets, drawn)
            )
        if (share := self.cohort.settings.hardest_share) < 1:
            batch = hardest(self.cohort.goals, self._outputs(batch.inputs), batch, share)

        def loss() -> Any:
            return batch_loss(self.cohort.goals, self._call, batch, curve)[0]

        value, gradients = _gradients(loss, variables)
        if radius := self.cohort.settings.sam:
            here = [ops.copy(variable) for variable in variables]
            _assign(variables, perturbed(here, gradients, radius))
            _, gradients = _gradients(loss, variables)
            _assign(variables, here)
        self._optimizer.apply(gradients, variables)
        return value

    def _call(self, inputs: Any) -> tuple[Any, None, Sequence[Any]]:
        outputs = self._network(inputs, training=True)
        return outputs, None, self._network.losses

    def _batch(self, source: Rows, number: int, rows: np.ndarray, counted: Any) -> Batch:
        instance = self.cohort.instances[number]
        inputs = {name: ops.convert_to_tensor(values[rows]) for name, values in source.inputs.items()}
        targets = source.targets if instance.targets is None else instance.targets
        weights = source.weights if instance.weights is None else instance.weights
        return Batch(
            as_model_input(self._network, inputs),
            tuple(ops.convert_to_tensor(y[rows]) for y in targets),
            None if counted is None else ops.convert_to_tensor(counted),
            None if weights is None else ops.convert_to_tensor(weights[rows], "float32"),
        )

    def _measure(self, number: int, rows: np.ndarray, counted: np.ndarray) -> float:
        if not counted.any():
            return float("nan")
        self._enter(number)
        now = _arrays(self._variables)
        self._hold(*self._deployed(number))
        sums = np.zeros((len(self.cohort.goals), 2))
        for block, present in zip(rows, counted, strict=True):
            batch = self._batch(self.cohort.rows, number, block, present)
            found = measures(self.cohort.goals, self._predict(batch.inputs), batch)
            sums += np.array([[float(on_host(x)) for x in head] for head in found])
        _assign(self._variables, now)
        heads = zip(self.cohort.goals, sums, strict=True)
        return float(sum(goal.weight * total / weights for goal, (total, weights) in heads if weights > 0))

    def _predicted(self, number: int, rows: np.ndarray) -> Arrays:
        batch = self._batch(self.cohort.rows, number, rows, None)
        return [on_host(head) for head in self._predict(batch.inputs)]

    def _outputs(self, inputs: Any) -> list[Any]:
        return [ops.cast(one, "float32") for one in flat(self._network(inputs, training=False))]

    def _start_average(self, values: Arrays) -> Any:
        return () if self._average is None else start_average(self._average, values)

    @property
    def _variables(self) -> list[Any]:
        return [*self._network.trainable_variables, *self._network.non_trainable_variables]

    def _deployed(self, number: int) -> tuple[Arrays, Arrays]:
        values = _arrays(self._variables)
        if self._average is not None:
            values = averaged(self._average, self.held[number].average, values)
            values = [np.array(ops.convert_to_numpy(value)) for value in values]
        trained = len(self._network.trainable_variables)
        return values[:trained], values[trained:]

    def _enter(self, number: int) -> None:
        """Bring an instance into the network."""
        if self._current == number:
            return
        self._leave()
        held = self.held[number]
        self._hold(held.trainable, held.other)
        _assign(self._optimizer.variables, held.slots)
        self._current = number

    def _leave(self) -> None:
        """Take the values of the instance that is in the network out of it."""
        if self._current is not None:
            held = self.held[self._current]
            held.trainable = _arrays(self._network.trainable_variables)
            held.other = _arrays(self._network.non_trainable_variables)
            held.slots = _arrays(self._optimizer.variables)
        self._current = None

    def _hold(self, trainable: Arrays, other: Arrays) -> None:
        _assign(self._network.trainable_variables, trainable)
        _assign(self._network.non_trainable_variables, other)


def _tree(held: InstanceValues) -> list[Any]:
    return [held.trainable, held.other, held.slots, held.average, held.best, np.float64(held.measure)]


def _gradients(loss: Callable[[], Any], variables: Sequence[keras.Variable]) -> tuple[Any, list[Any]]:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]

        with tf.GradientTape() as tape:
            value = loss()
        return value, tape.gradient(value, [variable.value for variable in variables])
    import torch  # pyright: ignore[reportMissingImports]

    value = loss()
    return value, list(torch.autograd.grad(value, [variable.value for variable in variables]))


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Traced once on TensorFlow; PyTorch runs it as it is."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]

        return tf.function(function, reduce_retracing=True)
    return function


def _arrays(variables: Sequence[Any]) -> Arrays:
    return [on_host(variable.value).copy() for variable in variables]


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
