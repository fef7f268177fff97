"""The networks of chapters 1 and 2 have the numbers of their listings, layer by layer."""

import keras
import numpy as np
import pytest

from composable.design.building import outline
from composable.design.taps import tap
from composable.zoo.catalog import architecture, inputs_of

ROWS = {  # name -> what each layer with weights gives, and its parameters
    "seed_regressor": [((10,), 140), ((10,), 110), ((1,), 11)],
    "seed_binary": [((10,), 140), ((10,), 110), ((1,), 11)],
    "seed_multiclass": [((10,), 50), ((10,), 110), ((5,), 55)],
    "seed_multilabel": [((10,), 40), ((10,), 110), ((7,), 77)],
    "seed_multitask": [((10,), 40), ((10,), 110), ((5,), 55), ((2,), 22)],
    "seed_mnist": [((512,), 401_920), ((512,), 262_656), ((10,), 5_130)],
    "seed_mnist_dropout": [((512,), 401_920), ((512,), 262_656), ((10,), 5_130)],
    "seed_cnn": [((64, 64, 16), 160), ((512,), 8_389_120), ((26,), 13_338)],
}
TOTALS = {
    "seed_regressor": 261,
    "seed_binary": 261,
    "seed_multiclass": 215,
    "seed_multilabel": 227,
    "seed_multitask": 227,
    "seed_mnist": 669_706,
    "seed_mnist_dropout": 669_706,
    "seed_cnn": 8_402_618,
}
ENDS = {  # name -> how its predictions relate to its logits
    "seed_regressor": lambda logits: logits,
    "seed_binary": keras.ops.sigmoid,
    "seed_multiclass": keras.ops.softmax,
    "seed_multilabel": keras.ops.sigmoid,
}


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize("name", ROWS)
def test_every_layer_has_the_parameters_of_the_listing(name):
    model, _ = outline(architecture(name), inputs_of(name))
    weighted = [layer for layer in model.layers if layer.weights]
    assert [(each.output.shape[1:], each.count_params()) for each in weighted] == ROWS[name]
    assert model.count_params() == TOTALS[name]
    assert model.non_trainable_weights == []


@pytest.mark.parametrize("name", ENDS)
def test_its_last_activation_is_that_of_the_listing(name):
    model = architecture(name).build(inputs_of(name))
    x = np.random.default_rng(0).normal(size=(4, *inputs_of(name))).astype("float32")
    np.testing.assert_allclose(model(x), ENDS[name](tap(model, "logits")(x)), rtol=1e-5)


def test_the_two_heads_read_the_same_layer():
    model, _ = outline(architecture("seed_multitask"), (3,))
    assert {name: each.shape for name, each in model.output.items()} == {
        "category_1": (None, 5),
        "category_2": (None, 2),
    }
    assert [tap(model, f"{task}/embedding").output.shape for task in model.output] == [(None, 10)] * 2


def test_dropout_comes_before_relu():
    model, _ = outline(architecture("seed_mnist_dropout"), (28, 28))
    hidden = kinds(model)[1:8]
    assert hidden == ["Flatten", "Dense", "Dropout", "ReLU", "Dense", "Dropout", "ReLU"]
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.5, 0.5]
    assert "Dropout" not in kinds(outline(architecture("seed_mnist"), (28, 28))[0])


def test_the_basic_cnn_pools_to_a_quarter_of_each_side():
    model, _ = outline(architecture("seed_cnn"), (128, 128, 1))
    (pooled,) = (each for each in model.layers if isinstance(each, keras.layers.MaxPooling2D))
    assert pooled.output.shape == (None, 32, 32, 16)
