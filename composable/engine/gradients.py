"""How the outputs of a model change with its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.engine.objective import flat
from composable.engine.rows import on_host

Arrays = Mapping[str, np.ndarray]
Gradients = Callable[[Arrays, np.ndarray], np.ndarray]


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
