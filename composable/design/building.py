"""From an architecture to an ordinary functional Keras model, and the trail of how it was put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from composable.core.errors import ConfigError
from composable.design.architecture import in_order
from composable.design.deep_graphs import deep_graphs
from composable.design.inputs import Inputs, keras_inputs
from composable.design.metaparameters import names
from composable.design.taps import TAPS, named
from composable.design.trail import Step, recording

if TYPE_CHECKING:
    from composable.design.architecture import Architecture, Parts, Task


@deep_graphs()
def build(architecture: Architecture, inputs: Inputs, *, name: str | None = None) -> tuple[keras.Model, Step]:
    """The model, and every part that was applied on the way with what it was given and what it made.

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
    given = keras_inputs(inputs)
    with recording() as trail:
        trail.input = x = dict(given) if isinstance(given, dict) else given
        for place in ("prestem", "stem", "learner"):
            x = _apply(getattr(architecture, place), x, place)
        encoding = layers.Identity(name="encoding")(x)
        outputs = _predict(architecture.tasks, given, encoding)
        trail.output = outputs
    return _model(given, outputs, name), trail


def _model(given: Any, outputs: Any, name: str | None = None) -> keras.Model:
    try:
        return keras.Model(given, outputs, name=name)
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


def _predict(tasks: tuple[Task, ...], given: Any, encoding: Any) -> Any:
    outputs = {}
    for number, task in enumerate(tasks):
        x = encoding if task.reads == "encoding" else _read(given, [encoding, *outputs.values()], task)
        path = f"tasks.{number}"
        if "name" in names(task.part.component) and not isinstance(task.part.component, type):
            outputs[task.name] = task.part.at(path, x, name=task.name)
        else:  # a user's own: what it gives is the prediction
            outputs[task.name] = layers.Identity(name=named(task.name, "probabilities"))(
                task.part.at(path, x)
            )
    return next(iter(outputs.values())) if len(tasks) == 1 else outputs


def _read(given: Any, made: list[Any], task: Task) -> Any:
    """The output of the layer that the task names, somewhere between the inputs and what was made of them."""
    known = {layer.name: layer for layer in _model(given, made).layers}
    layer = known.get(task.reads.replace("/", "_"))
    if layer is None:
        raise ConfigError(
            "A task reads `encoding`, a `tapped` part of the learner, or a tap of an earlier task.",
            received=f"task {task.name!r} reads {task.reads!r}",
            remedy="put Part(tapped, name=...) into the learner where the task is to read",
        )
    return layer.output
