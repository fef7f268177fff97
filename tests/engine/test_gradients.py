"""Gradients of what a model says with respect to its input."""

from __future__ import annotations

import keras
import numpy as np

from composable.engine.predict import gradients_of

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
BESIDE = np.arange(4, dtype="float32")[:, None]


def model(members=1):
    """Products of the numbers with fixed weights, squared, and of another input."""
    numbers, beside = keras.Input((3,), name="numbers"), keras.Input((1,), name="beside")
    weighed = keras.layers.Dense(2, use_bias=False, name="weighed")(numbers)
    outputs = keras.ops.square(weighed) * beside
    outputs = keras.layers.Reshape((members, 2))(keras.layers.Concatenate()([outputs] * members))
    return keras.Model({"numbers": numbers, "beside": beside}, outputs if members > 1 else outputs[:, 0])


def test_they_are_those_of_the_output_in_the_direction():
    asked = model()
    kernel = asked.get_layer("weighed").get_weights()[0]
    directions = np.array([[1, 0], [0, 1], [-1, 0], [0.5, 0.5]])
    found = gradients_of(asked, "numbers")({"numbers": X, "beside": BESIDE}, directions)
    expected = (2 * (X @ kernel) * BESIDE * directions) @ kernel.T
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_members_count_as_their_mean():
    several, one = model(members=3), model()
    several.set_weights(one.get_weights())
    inputs, directions = {"numbers": X, "beside": BESIDE}, np.ones((4, 2))
    alike = [gradients_of(each, "numbers")(inputs, directions) for each in (several, one)]
    np.testing.assert_allclose(*alike, rtol=1e-4, atol=1e-5)
