"""Single passes through a network, forward and back, of which nothing is learned: on every backend.

Nothing is compiled as a whole, so that networks whose layers have the same shapes share what is compiled of
single operations: a search looks at many networks, and at each of them once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.engine.rows import on_host

Scalar = Callable[[Any], Any]  # from an output, rows first, to one number, in keras.ops


def input_gradient(model: keras.Model, x: np.ndarray, scalar_of: Scalar) -> tuple[list[np.ndarray], Any]:
    """The outputs of a network as it trains, and how what is made of the first one changes with the input.

    Batches are normalized by themselves and dropout drops; the network stays as it was.

    Args:
        model: With one input of floating-point numbers, and one output or a list of them.
        x: Its input, rows first.
        scalar_of: Of the first output, the number whose gradient is taken.

    Returns:
        The outputs, and the gradient, of the shape of `x`.
    """
    find = {"jax": _of_input_on_jax, "tensorflow": _of_input_on_tensorflow, "torch": _of_input_on_torch}
    outputs, gradient = find[keras.backend.backend()](model, np.asarray(x, "float32"), scalar_of)
    return [on_host(one) for one in outputs], on_host(gradient)


def weight_gradients(
    model: keras.Model, x: np.ndarray, scalar_of: Scalar, *, training: bool
) -> list[np.ndarray]:
    """How what is made of a network's output changes with its weights; the network stays as it was.

    Args:
        model: With one input of floating-point numbers and one output.
        x: Its input, rows first.
        scalar_of: Of the output, the number whose gradient is taken.
        training: Whether batches are normalized by themselves and dropout drops, as while it trains.

    Returns:
        An array for each of the trainable variables; zeros where the output doesn't depend on one.
    """
    find = {"jax": _of_weights_on_jax, "tensorflow": _of_weights_on_tensorflow, "torch": _of_weights_on_torch}
    found = find[keras.backend.backend()](model, np.asarray(x, "float32"), scalar_of, training)
    return [on_host(one) for one in found]


@contextmanager
def _unchanged(model: keras.Model) -> Iterator[None]:
    """Normalization gathers statistics, and dropout goes on drawing, unless they are put back."""
    before = [(variable, on_host(variable.value).copy()) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)


def _of_input_on_jax(model: keras.Model, x: np.ndarray, scalar_of: Scalar) -> tuple[list[Any], Any]:
    import jax

    trainable, other = _values(model)

    def of_input(given: Any) -> tuple[Any, list[Any]]:
        outputs = keras.tree.flatten(model.stateless_call(trainable, other, given, training=True)[0])
        return scalar_of(outputs[0]), outputs

    gradient, outputs = jax.grad(of_input, has_aux=True)(jax.numpy.asarray(x))
    return outputs, gradient


def _of_weights_on_jax(model: keras.Model, x: np.ndarray, scalar_of: Scalar, training: bool) -> list[Any]:  # noqa: FBT001
    import jax

    trainable, other = _values(model)
    return jax.grad(lambda weights: scalar_of(model.stateless_call(weights, other, x, training=training)[0]))(
        trainable
    )


def _values(model: keras.Model) -> tuple[list[Any], list[Any]]:
    return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]


def _of_input_on_tensorflow(model: keras.Model, x: np.ndarray, scalar_of: Scalar) -> tuple[list[Any], Any]:
    import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]

    given = tf.convert_to_tensor(x)
    with _unchanged(model), tf.GradientTape() as tape:
        tape.watch(given)
        outputs = keras.tree.flatten(model(given, training=True))
        value = scalar_of(outputs[0])
    return outputs, tape.gradient(value, given)


def _of_weights_on_tensorflow(
    model: keras.Model,
    x: np.ndarray,
    scalar_of: Scalar,
    training: bool,  # noqa: FBT001
) -> list[Any]:
    import tensorflow as tf  # pyright: ignore[reportMissingModuleSource]

    variables = [variable.value for variable in model.trainable_variables]
    with _unchanged(model), tf.GradientTape() as tape:
        value = scalar_of(model(x, training=training))
    return tape.gradient(value, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _of_input_on_torch(model: keras.Model, x: np.ndarray, scalar_of: Scalar) -> tuple[list[Any], Any]:
    import torch  # pyright: ignore[reportMissingImports]

    tensor: Any = ops.convert_to_tensor(x)
    given = tensor.requires_grad_()
    with _unchanged(model):
        outputs = keras.tree.flatten(model(given, training=True))
        gradient = torch.autograd.grad(scalar_of(outputs[0]), given)[0]
    return [output.detach() for output in outputs], gradient


def _of_weights_on_torch(model: keras.Model, x: np.ndarray, scalar_of: Scalar, training: bool) -> list[Any]:  # noqa: FBT001
    import torch  # pyright: ignore[reportMissingImports]

    variables = [variable.value for variable in model.trainable_variables]
    with _unchanged(model):
        value = scalar_of(model(ops.convert_to_tensor(x), training=training))
        found = torch.autograd.grad(value, variables, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, variables, strict=True)]
