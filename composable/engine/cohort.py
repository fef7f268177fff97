"""A cohort: K instances of one model, trained side by side.

On JAX one compiled program trains them all; on TensorFlow and PyTorch Keras trains one after another, on the
same rows in the same order, with the same optimizer. A cohort that is too large for the memory is trained in
parts, one after another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import keras
import numpy as np

from composable.core.budget import Deadline
from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.engine.augment import check_images
from composable.engine.feed.chunk import Feed, rows_in
from composable.engine.objective import Goal, labeled
from composable.engine.rows import Rows, batch_plan, held_out_blocks, on_host
from composable.engine.settings import Settings
from composable.engine.training_copy import Precision, copy_values_to, shared_indices, training_copy

Begin = Callable[[keras.Model, int], None]
Values = tuple[list[np.ndarray], list[np.ndarray]]  # trainable and other ones
Result = TypeVar("Result")
_SIGNS = ("RESOURCE_EXHAUSTED", "ResourceExhausted", "OutOfMemory", "out of memory")


@dataclass(frozen=True, eq=False)
class Instance:
    """One of a cohort.

    Attributes:
        rows: The indices of the rows to learn from.
        held_out: The indices of those that are measured on; may be empty.
        seed: Of the order of the rows, of dropout and of mixing.
        settings: Those of all instances agree in `Settings.shared`.
        targets: Its own targets for all rows, where they differ from the cohort's.
        weights: Its own weights for all rows.
    """

    rows: np.ndarray
    held_out: np.ndarray
    seed: int
    settings: Settings
    targets: tuple[np.ndarray, ...] | None = None
    weights: np.ndarray | None = None


class Program(Protocol):
    """What a backend does for a cohort; see `composable.engine.jax_program.JaxProgram`."""

    def begin_epoch(
        self, order: np.ndarray, counted: np.ndarray | None, curves: Mapping[str, np.ndarray]
    ) -> None:
        """Bring the batches of an epoch to the devices."""
        ...

    def advance(self, first: int, count: int) -> None:
        """Take steps of the epoch."""
        ...

    def wait(self) -> None:
        """Return once all steps that were begun are done."""
        ...

    def epoch_losses(self) -> np.ndarray:
        """(instances, steps) the losses of the epoch so far."""
        ...

    def show(self, rows: Rows) -> None:
        """Train on other rows from here on; those that are watched stay."""
        ...

    def pack(self, active: np.ndarray) -> None:
        """Train the active instances alone from here on."""
        ...

    def watch(self, held_out: tuple[np.ndarray, np.ndarray], active: np.ndarray) -> np.ndarray:
        """Measure on held-out rows, and keep what is better than the best before."""
        ...

    def keep(self, chosen: np.ndarray) -> None:
        """Keep the present values of the chosen instances as their best, whatever they measure."""
        ...

    def measured(self, rows: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """(instances,) the measure on other rows."""
        ...

    def outputs(self, rows: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """For each instance the outputs of its best values for its rows, one array per head."""
        ...

    def restart_from_best(self, chosen: np.ndarray) -> None:
        """Instances go on from their best values."""
        ...

    def values(self, *, best: bool = True) -> Values:
        """Trainable and other values of all instances, on the host."""
        ...

    def slots(self) -> list[np.ndarray]:
        """The optimizer's variables of all instances, on the host."""
        ...

    def put(self, number: int, values: Values) -> None:
        """Replace the present values of one instance."""
        ...

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything that the training goes on from, bit by bit."""
        ...

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The reverse of `snapshot`."""
        ...


@dataclass(eq=False)
class Cohort:
    """K instances of `model`.

    Args:
        model: A Keras model of layers, built. It is never trained itself: `take` fills it.
        goals: One per output.
        rows: All rows that any instance learns from or is watched on.
        instances: Who learns from which.
        begin: Called with the model and an instance's number, to set the values it begins with; the model's
            present values where it is left out.
        feed: What all instances learn from, in chunks, where it is more than fits the device. `rows` are then
            those that are watched alone, and an instance's `rows` are none.

    Attributes:
        program: What trains the instances.
        compiling: Seconds that compiling took, where it was done ahead of the training; else NaN.

    Raises:
        ConfigError: If there is no instance, their settings can't share a program, or the model can't be
            trained so.
    """

    model: keras.Model
    goals: tuple[Goal, ...]
    rows: Rows
    instances: tuple[Instance, ...]
    begin: Begin = lambda _model, _number: None
    feed: Feed | None = None
    program: Program = field(init=False)
    compiling: float = math.nan

    def __post_init__(self) -> None:
        _check(self.instances, self.rows, fed=self.feed is not None)
        self.settings = self.instances[0].settings
        if self.settings.augment:
            check_images(self.model)
        precision = self.settings.precision or _usual_precision()
        self.training_copy = training_copy(self.model, precision=precision)
        rows = max(len(one.rows) for one in self.instances) if self.feed is None else rows_in(self.feed)
        self.batch_plan = batch_plan(rows, self.settings.batch_size)
        self.held_out = held_out_blocks([_measurable(one, self.rows, self.goals) for one in self.instances])
        self.program = _program(self)

    def __len__(self) -> int:
        return len(self.instances)

    def starts(self) -> list[Values]:
        """For each instance the trainable and other values of the training copy to begin with."""
        found = []
        for number, instance in enumerate(self.instances):
            self.begin(self.model, number)
            copy_values_to(self.model, self.training_copy)
            _seed(self.training_copy, instance.seed)
            found.append(
                (
                    _values(self.training_copy.trainable_variables),
                    _values(self.training_copy.non_trainable_variables),
                )
            )
        return found

    def weights(self, *, best: bool = True) -> list[list[np.ndarray]]:
        """For each instance its values, as `model.set_weights` takes them."""
        trainable, other = self.program.values(best=best)
        shared = [other[index] for index in shared_indices(self.training_copy, self.model)]
        kinds = (self.model.trainable_variables, trainable), (self.model.non_trainable_variables, shared)
        found = {
            id(v): value for variables, values in kinds for v, value in zip(variables, values, strict=True)
        }
        return [[found[id(v)][number] for v in self.model.weights] for number in range(len(self))]

    def put(self, number: int, weights: Sequence[np.ndarray]) -> None:
        """Go on training one instance from other values, as `model.get_weights` gives them."""
        trainable, other = ([value[number] for value in kind] for kind in self.program.values(best=False))
        new = {id(v): value for v, value in zip(self.model.weights, weights, strict=True)}
        trainable = [new[id(v)] for v in self.model.trainable_variables]
        indices = shared_indices(self.training_copy, self.model)
        for index, v in zip(indices, self.model.non_trainable_variables, strict=True):
            other[index] = new.get(id(v), other[index])
        self.program.put(number, (trainable, other))

    def take(self, number: int) -> keras.Model:
        """The model with the best values of one instance."""
        self.model.set_weights(self.weights()[number])
        return self.model


def _usual_precision() -> Precision:
    """bfloat16 where it is fast: on a GPU."""
    if keras.backend.backend() == "jax":
        import jax

        return "bfloat16" if jax.default_backend() == "gpu" else "float32"
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]

        return "bfloat16" if tf.config.list_physical_devices("GPU") else "float32"
    import torch  # pyright: ignore[reportMissingImports]

    return "bfloat16" if torch.cuda.is_available() else "float32"


def _program(cohort: Cohort) -> Program:
    if keras.backend.backend() == "jax":
        from composable.engine.jax_cohort import jax_program

        return jax_program(cohort)
    from composable.engine.keras_program import KerasProgram

    return KerasProgram(cohort)


def _check(instances: Sequence[Instance], rows: Rows, *, fed: bool) -> None:
    if not instances:
        raise ConfigError("A cohort has at least one instance.", received="none")
    first = instances[0]
    for number, one in enumerate(instances):
        if len(one.rows) == 0 and not fed:
            raise ConfigError(
                "An instance learns from at least one row.", received=f"instance {number}: none"
            )
        if max(one.rows.max(initial=0), one.held_out.max(initial=0)) >= len(rows):
            raise ConfigError(
                "An instance's rows are among the cohort's.",
                received=f"instance {number}: row {max(one.rows.max(initial=0), one.held_out.max(initial=0))}"
                f" of {len(rows)}",
            )
        if one.settings.shared != first.settings.shared:
            raise ConfigError(
                "The instances of a cohort share optimizer, batch size, averages, SAM and kind of mixing.",
                received=f"instance {number}: {one.settings.shared}; instance 0: {first.settings.shared}",
                remedy="train them in cohorts of their own",
            )
        if (one.targets is None) != (first.targets is None) or (one.weights is None) != (
            first.weights is None
        ):
            raise ConfigError(
                "Either all instances of a cohort have targets (or weights) of their own, or none.",
                received=f"instance {number} differs from instance 0",
            )


def _measurable(one: Instance, rows: Rows, goals: Sequence[Goal]) -> np.ndarray:
    """The held-out rows that a measure can be taken of: those with a label and a weight."""
    weights = rows.weights if one.weights is None else one.weights
    known = np.zeros(len(one.held_out), bool)
    targets = rows.targets if one.targets is None else one.targets
    for goal, target in zip(goals, targets, strict=True):
        known |= on_host(labeled(goal, target[one.held_out])[0]) > 0
    return one.held_out[known if weights is None else known & (weights[one.held_out] > 0)]


def _seed(network: keras.Model, seed: int) -> None:
    """Give every random generator of the network a state of its own that follows from `seed`."""
    for number, variable in enumerate(network.non_trainable_variables):
        if variable.name == "seed_generator_state":
            variable.assign(np.array([0, derive(seed, "generator", number)], variable.dtype))


def _values(variables: Sequence[Any]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]


def in_parts(
    numbers: Sequence[int],
    run: Callable[[Sequence[int], Deadline], list[Result]],
    *,
    deadline: Deadline,
    notify: Callable[[str], None],
) -> list[Result]:
    """What `run` gives for all instances; where the memory is too small, for halves of them.

    Args:
        numbers: Of the instances.
        run: Trains some of them until a deadline; one result each. What it did before the memory was used up
            is lost: that part begins again.
        deadline: Of all; halves share the time that is left.
        notify: Receives a message when a cohort is divided.

    Raises:
        MemoryError: Or what the backend raises instead, if a single instance is too much.
    """
    try:
        return run(numbers, deadline)
    except (MemoryError, RuntimeError, ValueError) as failed:
        if len(numbers) == 1 or not _out_of_memory(failed):
            raise
        reason = str(failed).splitlines()[0][:200] if str(failed) else type(failed).__name__
    middle = (len(numbers) + 1) // 2
    notify(
        f"{len(numbers)} instances at once are too much for the memory ({reason}): "
        f"they are trained {middle} at a time."
    )
    first = Deadline(deadline.remaining * middle / len(numbers), deadline.clock)
    done = in_parts(numbers[:middle], run, deadline=first, notify=notify)
    return done + in_parts(numbers[middle:], run, deadline=deadline, notify=notify)


def _out_of_memory(failed: BaseException) -> bool:
    """Whether a backend has failed because the memory is used up."""
    message = f"{type(failed).__name__}: {failed}"
    return isinstance(failed, MemoryError) or any(sign in message for sign in _SIGNS)
