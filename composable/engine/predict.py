"""Run a network over rows in batches of few sizes, each compiled once; and measure how long that takes.

And how its outputs change with its inputs: gradients, on every backend.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.design.cost import FREE
from composable.engine.objective import flat
from composable.engine.rows import on_host

SIZES = (1, 32, 256, 2048)  # a batch is padded up to one of these
SERVING_SIZES = (16, 1024)  # of a large model, whose compilation takes seconds
_OF_SIGNALS = (16, 128)  # whatever the model: rows that are only there to fill a batch take time, too
_SIGNALS = 3  # axes of series, and more of images
Arrays = Mapping[str, np.ndarray]
Gradients = Callable[[Arrays, np.ndarray], np.ndarray]


def predict(
    model: keras.Model, inputs: Mapping[str, np.ndarray], *, sizes: tuple[int, ...] = SIZES
) -> list[np.ndarray]:
    """The outputs of `model` for every row.

    Args:
        model: A network whose inputs are named as the keys of `inputs`.
        inputs: Arrays with one row per example; zero rows are allowed.
        sizes: The sizes of a batch, ascending; series and images among the inputs have their own.

    Returns:
        One array per output, rows first.
    """
    rows = len(next(iter(inputs.values())))
    if any(values.ndim >= _SIGNALS for values in inputs.values()):
        sizes = _OF_SIGNALS
    batches = []
    for start in range(0, max(rows, 1), sizes[-1]):
        taken = min(sizes[-1], rows - start)
        size = next(s for s in sizes if s >= taken)
        batch = {name: _padded(values[start : start + taken], size) for name, values in inputs.items()}
        outputs = model.predict_on_batch(batch)
        batches.append([np.asarray(output)[:taken] for output in keras.tree.flatten(outputs)])
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def latency(model: keras.Model, rows: int = 1, repetitions: int = 20, *, free: int = FREE) -> float:
    """Seconds that `model` takes to predict `rows` rows at once: the median, once it is compiled.

    Args:
        model: Built; what its weights are makes no difference.
        rows: In one batch.
        repetitions: Measured ones.
        free: The size of a dimension that the model leaves free.
    """
    batch = keras.tree.map_structure(lambda x: _zeros(x, rows, free), model.input)
    for _ in range(2):  # compiles, and then fills the caches
        model.predict_on_batch(batch)
    measured = []
    for _ in range(repetitions):
        started = time.perf_counter()
        model.predict_on_batch(batch)  # gives NumPy arrays: it ends when they are there
        measured.append(time.perf_counter() - started)
    return statistics.median(measured)


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    if len(values) == size:
        return values
    padded = np.zeros((size, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded


def _zeros(x: Any, rows: int, free: int) -> np.ndarray:
    return np.zeros((rows, *(size or free for size in x.shape[1:])), x.dtype)


def gradients_of(model: keras.Model, name: str, *, head: int = 0) -> Gradients:
    """From inputs and directions to gradients with respect to one of the inputs, shaped as that input.

    They are those of each row's outputs, multiplied by its direction and summed; directions are shaped as the
    outputs of the head, without an axis of members.

    Args:
        model: Inputs by name; it isn't training.
        name: Of an input of floating-point numbers.
        head: Whose outputs.
    """

    def total(x: Any, others: Mapping[str, Any], directions: Any, call: Callable[[Any], Any]) -> Any:
        outputs = flat(call({**others, name: x}))[head]
        if len(outputs.shape) > len(directions.shape):
            outputs = ops.mean(outputs, axis=1)
        return ops.sum(outputs * directions)

    gradient = {"jax": _on_jax, "tensorflow": _on_tensorflow, "torch": _on_torch}[keras.backend.backend()]
    found = gradient(model, total)

    def compute(inputs: Arrays, directions: np.ndarray) -> np.ndarray:
        others = {one: values for one, values in inputs.items() if one != name}
        return on_host(found(inputs[name], others, directions.astype("float32")))

    return compute


def _on_jax(model: keras.Model, total: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    def scored(x: Any, others: Any, directions: Any, trainable: Any, other: Any) -> Any:
        return total(x, others, directions, lambda ins: model.stateless_call(trainable, other, ins)[0])

    compiled = jax.jit(jax.grad(scored))
    values = [[v.value for v in some] for some in (model.trainable_variables, model.non_trainable_variables)]
    return lambda x, others, directions: compiled(x, others, directions, *values)


def _on_tensorflow(model: keras.Model, total: Callable[..., Any]) -> Callable[..., Any]:
    import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]

    @tf.function(reduce_retracing=True)
    def found(x: Any, others: Any, directions: Any) -> Any:
        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            summed = total(x, others, directions, model)
        return tape.gradient(summed, x)

    return found


def _on_torch(model: keras.Model, total: Callable[..., Any]) -> Callable[..., Any]:
    import torch  # pyright: ignore[reportMissingImports]

    def found(x: Any, others: Any, directions: Any) -> Any:
        image: Any = ops.convert_to_tensor(x)
        x, beside = image.requires_grad_(), keras.tree.map_structure(ops.convert_to_tensor, others)
        summed = total(x, beside, ops.convert_to_tensor(directions), model)
        return torch.autograd.grad(summed, x)[0]

    return found
