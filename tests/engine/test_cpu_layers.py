"""Layers for JAX on a CPU: the results and gradients of Keras's, in programs that XLA computes faster."""

import keras
import numpy as np
import pytest
from keras import layers

from composable.engine.training_copy import training_copy

if keras.backend.backend() != "jax":
    pytest.skip("these layers are for JAX", allow_module_level=True)

import jax
import jax.numpy as jnp

TOLERANCE = 1e-4  # of the largest value

# A layer, and the shape of what it takes: odd sizes, sizes that strides don't divide, uneven kernels.
CONVOLUTIONS = {
    "same": (layers.Conv2D(6, 3, padding="same"), (9, 8, 4)),
    "valid, no bias, activation": (layers.Conv2D(6, (3, 2), use_bias=False, activation="relu"), (9, 8, 4)),
    "even kernel": (layers.Conv2D(6, 4, padding="same"), (9, 8, 4)),
    "strides": (layers.Conv2D(6, 3, 2, padding="same"), (9, 8, 4)),
    "uneven strides": (layers.Conv2D(6, (3, 2), (2, 3)), (9, 8, 4)),
    "large kernel, strides": (layers.Conv2D(6, 7, 2, padding="same"), (9, 9, 3)),
    "strides beyond the kernel": (layers.Conv2D(6, 2, 3, padding="same"), (9, 8, 3)),
    "1x1": (layers.Conv2D(6, 1), (9, 8, 4)),
    "1x1, more out than in": (layers.Conv2D(3, 1), (9, 8, 7)),
    "1x1, strides": (layers.Conv2D(6, 1, 2, padding="same"), (9, 8, 4)),
    "dilation": (layers.Conv2D(6, 3, padding="same", dilation_rate=2), (9, 8, 4)),
    "uneven dilation": (layers.Conv2D(6, 3, dilation_rate=(2, 1)), (9, 8, 4)),
    "groups": (layers.Conv2D(8, 3, padding="same", groups=4), (9, 8, 8)),
    "wide groups, strides": (layers.Conv2D(68, 3, 2, groups=2), (9, 8, 68)),
    "1x1, groups": (layers.Conv2D(6, 1, groups=3), (9, 8, 6)),
    "1D": (layers.Conv1D(6, 3, 2, padding="same"), (9, 4)),
    "1D, causal": (layers.Conv1D(6, 3, padding="causal", dilation_rate=2), (9, 4)),
    "1D, causal, strides": (layers.Conv1D(6, 3, 2, padding="causal"), (9, 4)),
    "3D": (layers.Conv3D(6, 3, 2, padding="same"), (5, 6, 7, 3)),
}
TRANSPOSED = {
    "same": (layers.Conv2DTranspose(6, 4, 2, padding="same"), (5, 4, 3)),
    "odd kernel": (layers.Conv2DTranspose(6, 3, 2, padding="same"), (5, 4, 3)),
    "valid, uneven": (layers.Conv2DTranspose(6, (5, 3), (2, 1), activation="relu"), (5, 4, 3)),
    "strides beyond the kernel": (layers.Conv2DTranspose(6, 2, 3, use_bias=False), (5, 4, 3)),
    "no strides": (layers.Conv2DTranspose(6, 4, padding="same"), (5, 4, 3)),
    "1D": (layers.Conv1DTranspose(6, 5, 3, padding="same"), (5, 3)),
    "3D": (layers.Conv3DTranspose(4, 3, 2, padding="same"), (3, 4, 2, 3)),
}
BY_CHANNEL = {
    "same": (layers.DepthwiseConv2D(3, padding="same"), (9, 8, 4)),
    "strides, several of each": (layers.DepthwiseConv2D(3, 2, padding="same", depth_multiplier=2), (9, 8, 4)),
    "valid, strides": (layers.DepthwiseConv2D((5, 5), (2, 2), activation="relu"), (9, 8, 4)),
    "strides beyond the kernel": (layers.DepthwiseConv2D(2, 3, padding="same"), (9, 8, 4)),
    "dilation": (layers.DepthwiseConv2D(3, padding="same", dilation_rate=2, use_bias=False), (9, 8, 4)),
    "1D": (layers.DepthwiseConv1D(3, 2, padding="same"), (9, 4)),
    "separable": (layers.SeparableConv2D(6, 3, padding="same", activation="relu"), (9, 8, 4)),
    "separable, strides": (layers.SeparableConv2D(6, 3, 2, depth_multiplier=2), (9, 8, 4)),
    "separable 1D": (layers.SeparableConv1D(6, 3, padding="same", dilation_rate=2), (9, 4)),
}
POOLS = {
    "plain": (layers.MaxPooling2D(2), (9, 8, 4)),
    "side by side, uneven": (layers.MaxPooling2D((2, 3), padding="same"), (9, 8, 4)),
    "overlapping": (layers.MaxPooling2D(3, 2, padding="same"), (9, 8, 4)),
    "overlapping everywhere": (layers.MaxPooling2D(3, 1, padding="same"), (9, 8, 4)),
    "uneven": (layers.MaxPooling2D((3, 2), (2, 1)), (9, 8, 4)),
    "strides beyond the window": (layers.MaxPooling2D(2, 3, padding="same"), (9, 8, 4)),
    "only strides": (layers.MaxPooling2D(1, 2), (9, 8, 4)),
    "1D": (layers.MaxPooling1D(3, 2, padding="same"), (9, 4)),
    "3D": (layers.MaxPooling3D(2), (4, 5, 6, 2)),
}
NORMS = {
    "images": (layers.BatchNormalization(momentum=0.7), (9, 8, 4)),
    "rows": (layers.BatchNormalization(), (4,)),
    "neither scaled nor shifted": (
        layers.BatchNormalization(scale=False, center=False, epsilon=1e-12),
        (9, 4),
    ),
}
ACTIVATIONS = {"gelu": (layers.Activation("gelu"), (9, 4))}


def whole_numbers(*shape):
    """Many of them equal: pooling has to choose among them as Keras does."""
    return np.round(2 * np.random.default_rng(0).normal(size=shape)).astype("float32")


def pair(layer, shape):
    """The layer in a model, and in its training copy, with other weights than at first."""
    layer = type(layer).from_config(layer.get_config())
    x = keras.Input(shape)
    model = keras.Model(x, layer(x))
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return model, training_copy(model)


def slopes(model, x):
    """Outputs, gradients to input and variables of a weighted sum of the outputs, and the other variables."""
    weights = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]

    def summed(weights, x):
        out, after = model.stateless_call(weights, others, x, training=True)
        weighed = jnp.asarray(np.random.default_rng(2).normal(size=out.shape), out.dtype)
        return jnp.sum(out * weighed), (out, after)

    (_, (out, after)), found = jax.jit(jax.value_and_grad(summed, (0, 1), has_aux=True))(weights, x)
    return [out, *jax.tree.leaves(found), *after]


def same(one, other):
    assert len(one) == len(other)
    for got, expected in zip(one, other, strict=True):
        scale = max(1.0, float(jnp.abs(expected).max()))
        np.testing.assert_allclose(got, expected, atol=TOLERANCE * scale, rtol=0)


@pytest.mark.parametrize("cases", [CONVOLUTIONS, TRANSPOSED, BY_CHANNEL, POOLS, NORMS, ACTIVATIONS])
def test_outputs_and_gradients_are_those_of_keras(cases):
    for name, (layer, shape) in cases.items():
        model, copied = pair(layer, shape)
        assert type(copied.layers[-1]).__module__.startswith("composable"), name
        x = whole_numbers(3, *shape)
        same(slopes(copied, x), slopes(model, x))


@pytest.mark.parametrize("rows", [1, 4, 7])
def test_any_number_of_rows_is_computed(rows):
    for layer, shape in (CONVOLUTIONS["strides"], BY_CHANNEL["same"], POOLS["overlapping"]):
        model, copied = pair(layer, shape)
        x = whole_numbers(rows, *shape)
        same(slopes(copied, x), slopes(model, x))


def test_rows_by_the_chunk_make_the_whole_gradient(monkeypatch):
    from composable.engine.jax_cpu import convolution, depthwise

    monkeypatch.setattr(convolution, "IN_CACHE", 1)
    monkeypatch.setattr(depthwise, "IN_CACHE", 1)
    for layer, shape in (CONVOLUTIONS["same"], BY_CHANNEL["same"]):
        model, copied = pair(layer, shape)
        x = whole_numbers(6, *shape)
        same(slopes(copied, x), slopes(model, x))


def test_what_is_not_covered_stays_keras_s():
    cases = [
        (layers.MaxPooling2D(2, data_format="channels_first"), (3, 8, 8)),
        (layers.BatchNormalization(axis=1), (3, 8, 8)),
        (layers.Activation("relu"), (3,)),
        (layers.Conv2DTranspose(2, 3, 2, output_padding=1), (5, 5, 3)),
    ]
    for layer, shape in cases:
        _, copied = pair(layer, shape)
        assert type(copied.layers[-1]) is type(layer)


def test_batch_norm_follows_and_stands_still_as_keras_s():
    model, copied = pair(*NORMS["images"])
    x = 3 + whole_numbers(16, 9, 8, 4)
    for network in (model, copied):
        network(x, training=True)
    np.testing.assert_allclose(copied(x), model(x), atol=1e-4)
    model.layers[-1].trainable = False
    frozen = training_copy(model)
    np.testing.assert_allclose(frozen(x, training=True), model(x, training=True), atol=1e-4)


def test_a_far_mean_costs_batch_norm_no_digits():
    model, copied = pair(*NORMS["rows"])
    x = 1000 + whole_numbers(64, 4)
    same(slopes(copied, x)[:4], slopes(model, x)[:4])


def test_gelu_is_finite_and_exact_far_from_zero():
    _, copied = pair(layers.Activation("gelu"), (1,))
    out, slope = slopes(copied, np.float32([[-1e30], [-12], [12], [1e30]]))
    np.testing.assert_allclose(out[:, 0], [0, 0, 12, 1e30], rtol=1e-6)
    assert np.isfinite(slope).all()


def test_they_compute_in_bfloat16_too():
    x = keras.Input((8, 8, 3))
    y = layers.MaxPooling2D(2)(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x)))
    y = layers.SeparableConv2D(4, 3)(y)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    copied = training_copy(model, precision="bfloat16")
    exact = slopes(model, whole_numbers(4, 8, 8, 3))[0]
    np.testing.assert_allclose(slopes(copied, whole_numbers(4, 8, 8, 3))[0], exact, atol=0.1)


def test_the_gradient_has_no_convolution_that_xla_is_slow_in():
    """Neither skipped inputs nor groups: those run element by element inside a scan."""
    x = keras.Input((8, 8, 8))
    y = layers.Conv2D(8, 3, 2, groups=2)(layers.DepthwiseConv2D(3)(layers.Conv2D(8, 3, padding="same")(x)))
    copied = training_copy(keras.Model(x, layers.Conv2DTranspose(4, 4, 2)(y)))
    weights = [v.value for v in copied.trainable_variables]

    def summed(weights, x):
        return jnp.sum(copied.stateless_call(weights, [], x, training=True)[0])

    program = str(jax.make_jaxpr(jax.grad(summed, (0, 1)))(weights, whole_numbers(4, 8, 8, 8)))
    lines = {line.strip() for line in program.splitlines()}
    assert "lhs_dilation=(1, 1)" in lines
    found = {line for line in lines if line.startswith(("feature_group", "batch_group", "lhs_dilation"))}
    assert found == {"feature_group_count=1", "batch_group_count=1", "lhs_dilation=(1, 1)"}


def test_an_option_that_xla_does_not_know_is_left_out(monkeypatch):
    from composable.engine import jax_step

    assert jax.jit(lambda x: x + 1, compiler_options=jax_step.compiler_options())(1) == 2
    monkeypatch.setattr(jax_step, "CONVOLUTIONS_ON_ALL_CORES", {"xla_no_such_option": "1"})
    assert jax_step.compiler_options.__wrapped__() == {}
