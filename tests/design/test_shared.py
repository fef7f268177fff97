"""One part over several tensors, with the same weights."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from composable.core.errors import ConfigError
from composable.design import Architecture, Part, component
from composable.design.learners import shared
from composable.design.taps import tap
from composable.design.tasks import regressor

PAIR = {"left": (6,), "right": (6,)}


@component
def squashed(x, *, units: int = 3):
    return layers.Dense(units, activation="tanh")(x)


@component
def apart(x):
    left, right = x.values() if isinstance(x, dict) else x
    return ops.absolute(left - right)


def paired(x):
    return x["left"], x["right"]


def twins(stem=()):
    return Architecture(
        stem=stem, learner=Part(shared, part=Part(squashed, units=3)), tasks=Part(regressor, pool=apart)
    )


def rows(seed):
    return np.random.default_rng(seed).normal(size=(5, 6)).astype("float32")


@pytest.mark.parametrize("stem", [(), paired], ids=["dict", "tuple"])
def test_several_tensors_go_through_the_same_weights(stem):
    model = twins(stem).build(PAIR)
    assert model.count_params() == (6 * 3 + 3) + (3 + 1)  # the trunk counts once
    one, other = rows(0), rows(1)
    encoded = tap(model, "encoding")
    left, right = encoded({"left": one, "right": other})
    swapped = encoded({"left": other, "right": one})
    np.testing.assert_array_equal(left, swapped[1])
    np.testing.assert_array_equal(right, swapped[0])
    assert not np.array_equal(left, right)
    alike = tap(model, "embedding")({"left": one, "right": one})
    np.testing.assert_array_equal(alike, np.zeros((5, 3)))


def test_it_is_json_and_comes_back_with_keras_alone(tmp_path):
    architecture = twins()
    assert Architecture.from_json(architecture.to_json()) == architecture
    model, x = architecture.build(PAIR), {"left": rows(0), "right": rows(1)}
    model.save(tmp_path / "twins.keras")
    again = keras.models.load_model(tmp_path / "twins.keras")
    np.testing.assert_array_equal(model(x), again(x))
    assert again.count_params() == model.count_params()  # still shared


def test_training_moves_the_one_trunk():
    model = twins().build(PAIR)
    before = [np.array(weight) for weight in model.trainable_weights]
    model.compile(optimizer="sgd", loss="mse")
    model.train_on_batch({"left": rows(0), "right": rows(1)}, np.ones((5, 1)))
    assert len(before) == 4
    assert all(not np.array_equal(b, w) for b, w in zip(before, model.trainable_weights, strict=True))


def test_a_single_tensor_and_different_shapes_are_refused_by_place():
    with pytest.raises(ConfigError, match=r"`learner` doesn't fit.*several tensors of one shape.*not by 6"):
        twins().build((6,))
    with pytest.raises(ConfigError, match=r"`learner` doesn't fit.*left 6, right 7"):
        twins().build({"left": (6,), "right": (7,)})


def test_what_does_not_fit_inside_is_named_with_its_place():
    design = Architecture(
        learner=Part(shared, part=Part(layers.Conv2D, filters=2, kernel_size=3)),
        tasks=Part(regressor, pool=apart),
    )
    with pytest.raises(ConfigError, match=r"`learner\.part\[0\]` doesn't fit"):
        design.build(PAIR)
