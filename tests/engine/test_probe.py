"""Single passes through a network: gradients, and nothing that changes it."""

import keras
import numpy as np
from keras import layers, ops

from composable.engine.probe import input_gradient, weight_gradients

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


def network():
    """Two products, normalized in between; the second output is what is normalized."""
    x = keras.Input((3,))
    normalized = layers.BatchNormalization()(layers.Dense(4, use_bias=False)(x))
    return keras.Model(x, [layers.Dense(2)(layers.Dropout(0.5)(normalized)), normalized])


def test_gradients_of_the_input_are_those_of_the_first_output():
    x = keras.Input((3,))
    dense = layers.Dense(2)
    model = keras.Model(x, [dense(x), layers.Activation("relu")(x)])
    signs = np.array([[1.0, -1.0]] * 6, "float32")
    outputs, gradient = input_gradient(model, X, lambda y: ops.sum(y * signs))
    np.testing.assert_allclose(gradient, signs @ dense.get_weights()[0].T, rtol=1e-5)
    np.testing.assert_allclose(outputs[1], np.maximum(X, 0))


def test_gradients_of_weights_are_those_of_the_number():
    x = keras.Input((3,))
    dense, unused = layers.Dense(2), layers.Dense(1)
    model = keras.Model(x, dense(x))
    unused(x)
    kernel, bias = weight_gradients(model, X, ops.sum, training=False)
    np.testing.assert_allclose(kernel, np.repeat(X.sum(axis=0)[:, None], 2, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(bias, [6.0, 6.0])


def test_the_network_stays_as_it_was():
    model = network()
    before = [np.array(one) for one in model.get_weights()]
    input_gradient(model, X, ops.sum)
    weight_gradients(keras.Model(model.input, model.outputs[0]), X, ops.sum, training=True)
    for one, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, same)


def test_batches_are_normalized_by_themselves():
    outputs, _ = input_gradient(network(), X, ops.sum)
    np.testing.assert_allclose(outputs[1].mean(axis=0), 0.0, atol=1e-5)
