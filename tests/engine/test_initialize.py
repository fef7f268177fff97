"""Weights drawn anew: as the layers' initializers say, without building the model again."""

import keras
import numpy as np
import pytest

from composable.engine.initialize import initialize


def build():
    inputs = keras.Input((6,))
    x = keras.layers.Dense(400, kernel_initializer="he_normal", bias_initializer="ones")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dropout(0.5)(x)))


def opaque():
    """A layer whose weights don't say how they begin."""

    class Scale(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="scale")

        def call(self, x):
            return x * self.scale

    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), Scale()])


@pytest.mark.parametrize("make", [build, opaque])
def test_a_seed_says_what_is_drawn(make):
    model = make()
    drawn = []
    for seed in (1, 2, 1):
        initialize(model, make, seed)
        drawn.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(drawn[0], drawn[2], strict=True))
    assert not np.array_equal(drawn[0][0], drawn[1][0])


def test_they_are_drawn_as_the_initializers_say():
    model = build()
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 7.0))
    initialize(model, lambda: pytest.fail("built again"), 3)
    kernel, bias, gamma, beta, mean, variance, *_ = model.get_weights()
    assert kernel.std() == pytest.approx((2 / 6) ** 0.5, rel=0.1)
    assert (bias == 1).all()
    assert (gamma == 1).all()
    assert (beta == 0).all()
    assert (mean == 0).all()
    assert (variance == 1).all()


def test_a_model_that_does_not_tell_is_built_again():
    model = opaque()
    initialize(model, opaque, 3)
    assert model.get_weights()[-1].std() > 0
