"""From an architecture to an ordinary functional Keras model, and the trail of how it was put together.

An outline is the same model whose weights have shapes but no values, so that any size is built in a moment.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import keras
from keras import layers

from composable.core.errors import ConfigError
from composable.design.architecture import in_order
from composable.design.graph import deep_graphs, layers_between
from composable.design.inputs import Inputs, keras_inputs
from composable.design.metaparameters import names
from composable.design.part import Step, recording
from composable.design.taps import TAPS, named, tap

if TYPE_CHECKING:
    from composable.design.architecture import Architecture, Parts, Task

Made = TypeVar("Made")


@deep_graphs()
def build(architecture: Architecture, inputs: Inputs, *, name: str | None = None) -> tuple[keras.Model, Step]:
    """The model, and every part that was applied on the way with what it was taken and what it made.

    Raises:
        ConfigError: If a choice is open, there is no task, or a part doesn't fit what it is given.
    """
    if opened := architecture.openings():
        path, opening = next(iter(opened.items()))
        raise ConfigError(
            "An architecture is built when nothing in it is open.",
            received=f"{path}={opening!r}"[:200]
            + (f" and {len(opened) - 1} more" if len(opened) > 1 else ""),
            remedy="close it: fill(lambda path, opening: ...), or composable.design.evolve.draw(..., seed=0)",
        )
    if not architecture.tasks:
        raise ConfigError(
            "An architecture has a task.", remedy="Architecture(..., tasks=Part(classifier, classes=10))"
        )
    for reserved in TAPS:  # or Keras would call a user's first unnamed Embedding `embedding`
        keras.backend.get_uid(reserved)
    taken = keras_inputs(inputs)
    with recording() as trail:
        trail.input = x = dict(taken) if isinstance(taken, dict) else taken
        for place in ("prestem", "stem", "learner"):
            x = _apply(getattr(architecture, place), x, place)
        encoding = layers.Identity(name="encoding")(x)
        outputs = _predict(architecture.tasks, taken, encoding)
        trail.output = outputs
    return _model(taken, outputs, name), trail


def _model(taken: Any, outputs: Any, name: str | None = None) -> keras.Model:
    try:
        return keras.Model(taken, outputs, name=name)
    except ValueError as wrong:
        raise ConfigError(
            "The parts make one model: layers with different names, from its inputs to its tasks.",
            received=" ".join(str(wrong).split())[:300],
            remedy="leave layers unnamed, or name each once; taps and tasks need different names",
        ) from wrong


def _apply(parts: Parts, x: Any, path: str) -> Any:
    for place, part in in_order(parts, path):
        x = part.at(place, x)
    return x


def _predict(tasks: tuple[Task, ...], taken: Any, encoding: Any) -> Any:
    outputs = {}
    for number, task in enumerate(tasks):
        x = encoding if task.reads == "encoding" else _read(taken, [encoding, *outputs.values()], task)
        path = f"tasks.{number}"
        if "name" in names(task.part.component) and not isinstance(task.part.component, type):
            outputs[task.name] = task.part.at(path, x, name=task.name)
        else:  # a user's own: what it gives is the prediction
            outputs[task.name] = layers.Identity(name=named(task.name, "probabilities"))(
                task.part.at(path, x)
            )
    return next(iter(outputs.values())) if len(tasks) == 1 else outputs


def _read(taken: Any, made: list[Any], task: Task) -> Any:
    """The output of the layer that the task names, somewhere between the inputs and what was made of them."""
    known = {layer.name: layer for layer in _model(taken, made).layers}
    layer = known.get(task.reads.replace("/", "_"))
    if layer is None:
        raise ConfigError(
            "A task reads `encoding`, a `tapped` part of the learner, or a tap of an earlier task.",
            received=f"task {task.name!r} reads {task.reads!r}",
            remedy="put Part(tapped, name=...) into the learner where the task is to read",
        )
    return layer.output


def outline(
    architecture: Architecture, inputs: Inputs, *, name: str | None = None
) -> tuple[keras.Model, Step]:
    """The model to look at and to count, not to run, and the trail of building it.

    Raises:
        ConfigError: As `Architecture.build`.
    """
    return outlined(lambda: build(architecture, inputs, name=name))


def outlined(make: Callable[[], Made]) -> Made:
    """What `make` gives, where the Keras layers that it builds get no values for their weights.

    Nothing of it remains for what is built later: layers are named, and random seeds drawn, as if it hadn't
    happened. So `make` has to make its layers itself: one from outside would be left without values, too.
    """
    policy, seeds = keras.config.dtype_policy(), random.getstate()

    def within() -> Made:
        keras.config.set_dtype_policy(policy)
        with keras.StatelessScope(initialize_variables=False):
            return make()

    # Keras keeps its state by thread: names in use, and the variables that the next scope would give values.
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="outline") as thread:
            return thread.submit(within).result()
    finally:
        random.setstate(seeds)  # Keras draws the seed of an initializer from Python's own generator


def layers_by_part(
    architecture: Architecture, inputs: Inputs, *, name: str
) -> tuple[list[str], dict[str, list[int]]]:
    """The names of the layers up to a tap, and for each part those that it made, as numbers of layers.

    The parts are those of the stem and the learner, by their path: `stem`, `learner.0`, `learner.0.block[1]`.

    Args:
        architecture: Without openings.
        inputs: What it is built for.
        name: Of the tap.
    """

    def made() -> tuple[keras.Model, Step]:
        model, trail = build(architecture, inputs)
        return tap(model, name), trail

    model, trail = outlined(made)
    numbers = {layer.name: number for number, layer in enumerate(model.layers)}
    found = {}
    for step in _steps(trail):
        if step.path.startswith(("stem", "learner")):
            within = {layer.name for layer in layers_between(step.input, step.output)}
            found[step.path] = sorted(numbers[one] for one in within if one in numbers)
    return list(numbers), found


def _steps(step: Step) -> list[Step]:
    return [each for inner in step.steps for each in (inner, *_steps(inner))]
