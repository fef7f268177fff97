"""Muon against a reference in NumPy, on matrices, convolutions and stacks of matrices."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from composable.engine.optimizer import Group, Optimizer
from composable.engine.rules import Muon, Rule, orthogonalized

AIRBENCH = {"momentum": 0.6, "steps": 3, "rms": None, "renormalize": True}


def newton_schulz(matrix, steps):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (np.linalg.norm(matrix) + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def reference(kernel, gradients, *, rate, momentum, steps, rms, renormalize):
    """As the author of airbench has it: the kernel as [outputs, rest]; in Keras the outputs come last."""
    weights = kernel.reshape(-1, kernel.shape[-1]).T.astype("float64")
    buffer = np.zeros_like(weights)
    for gradient in gradients:
        g = gradient.reshape(-1, kernel.shape[-1]).T
        buffer = momentum * buffer + g
        update = newton_schulz(g + momentum * buffer, steps)
        if rms is not None:
            update = update * rms * max(weights.shape) ** 0.5
        if renormalize:
            weights = weights * len(weights) ** 0.5 / np.linalg.norm(weights)
        weights = weights - rate * update
    return weights.T.reshape(kernel.shape)


def drawn(*shape, count=4, seed=0):
    draws = np.random.default_rng(seed)
    return draws.normal(size=shape).astype("float32"), draws.normal(size=(count, *shape)).astype("float32")


def trained(kernel, gradients, *, rate=0.1, name="kernel", **arguments):
    variable = keras.Variable(kernel, name=name)
    groups = (Group("", rule=Rule("muon", arguments)),)
    optimizer = Optimizer(Rule("sgd"), groups).build([variable], learning_rate=rate)
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(gradient)])
    return ops.convert_to_numpy(variable.value)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5), (3, 4, 6)], ids=str)
@pytest.mark.parametrize(
    "arguments", [AIRBENCH, {"momentum": 0.95, "steps": 5, "rms": 0.2, "renormalize": False}]
)
def test_kernels_are_trained_as_the_reference_trains_them(shape, arguments):
    kernel, gradients = drawn(*shape)
    wanted = reference(kernel, gradients, rate=0.1, **arguments)
    np.testing.assert_allclose(trained(kernel, gradients, **arguments), wanted, rtol=0, atol=2e-5)


def test_stacked_kernels_are_trained_matrix_by_matrix():
    kernel, gradients = drawn(3, 6, 4)
    found = trained(kernel, gradients, stacked=1, **AIRBENCH)
    alone = [trained(kernel[k], gradients[:, k], **AIRBENCH) for k in range(3)]
    np.testing.assert_allclose(found, np.stack(alone), rtol=0, atol=1e-5)
    assert np.abs(found - trained(kernel, gradients, **AIRBENCH)).max() > 1e-2


def test_the_outputs_of_an_attention_are_heads_by_width():
    kernel, gradients = drawn(6, 2, 3)
    found = trained(kernel, gradients, outputs=2, **AIRBENCH)
    flat = trained(kernel.reshape(6, 6), gradients.reshape(-1, 6, 6), **AIRBENCH)
    np.testing.assert_allclose(found, flat.reshape(6, 2, 3), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (2, 20, 20)], ids=str)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_updates_are_nearly_orthogonal(shape, precision):
    matrices, _ = drawn(*shape)
    found = ops.convert_to_numpy(orthogonalized(ops.convert_to_tensor(matrices), precision=precision))
    values = np.linalg.svd(found, compute_uv=False)
    assert found.dtype == np.float32
    assert values.max() < 1.3
    # A square matrix has singular values too small for five steps.
    assert (np.median(values) if shape[0] == 2 else values.min()) > 0.6
    left, _, right = np.linalg.svd(matrices, full_matrices=False)
    assert np.sum(found * (left @ right)) > 0.7 * np.sum(values)


def test_an_update_has_the_root_mean_square_it_is_given():
    """0.2, that of AdamW's usual updates, whatever the shape."""
    for shape in ((60, 20), (3, 3, 8, 24)):
        kernel, gradients = drawn(*shape, count=1)
        update = trained(kernel, gradients, rate=1.0) - kernel
        assert np.sqrt(np.mean(update**2)) == pytest.approx(0.2, rel=0.2)


@pytest.mark.parametrize(
    ("layer", "shape", "taken"),
    [
        (keras.layers.Dense(4), (3,), True),
        (keras.layers.Conv2D(4, 3), (5, 5, 2), True),
        (keras.layers.Conv1D(4, 3), (5, 2), True),
        (keras.layers.DepthwiseConv2D(3), (5, 5, 4), False),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (5, 5, 4), False),
        (keras.layers.SeparableConv2D(6, 3), (5, 5, 4), None),
        (keras.layers.Embedding(8, 4), (3,), False),
        (keras.layers.BatchNormalization(), (3,), False),
        (keras.layers.Dense(1), (3,), False),
        (keras.layers.EinsumDense("bd,d->bd", (3,)), (3,), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_takes_matrices_and_convolutions_alone(layer, shape, taken):
    layer.build((None, *shape))
    found = {v.path.rpartition("/")[2]: Muon.takes(v) for v in layer.trainable_variables}
    if taken is None:  # the depthwise half goes elsewhere
        assert found == {"depthwise_kernel": False, "pointwise_kernel": True, "bias": False}
    else:
        assert found.pop(next(iter(found))) is taken
        assert not any(found.values())


def test_stacks_of_columns_are_none_of_its_business():
    kernel = keras.Variable(np.ones((5, 3, 1), "float32"), name="kernel")
    assert Muon.takes(kernel) is False
    assert Muon.takes(keras.Variable(np.ones((5, 3), "float32"), name="kernel"), stacked=1) is False
