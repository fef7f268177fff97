"""What the zoo builds, a bundle may hold: layers and operations on the list, counted before they load."""

import inspect
import json
import zipfile

import keras
import numpy as np
import pytest

from composable.deploy.safe_load import load_model
from composable.deploy.weights import COUNTS, declared_weights
from composable.design.keras_configuration import LAYERS
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_model_of_the_zoo_passes_the_checks_and_is_loaded(family, tmp_path):
    model = catalog.made(family, dict(family.smallest.metaparameters)).build(family.smallest.inputs)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    config = json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))
    assert declared_weights(config, "m.keras") == model.count_params()


def test_every_listed_layer_that_has_weights_is_counted():
    shapes = {1: (8, 6), 2: (8, 8, 6)}
    arguments = {
        "filters": 4, "kernel_size": 3, "units": 5, "input_dim": 7, "output_dim": 3, "num_heads": 2,
        "key_dim": 3, "equation": "abc,cd->abd", "output_shape": (8, 4), "layer": keras.layers.LSTM(5),
    }  # fmt: skip
    for name in sorted(set(COUNTS) & LAYERS):
        layer = getattr(keras.layers, name)
        takes = inspect.signature(layer).parameters
        given = {key: value for key, value in arguments.items() if key in takes}
        if name == "MultiHeadAttention":
            given.pop("output_shape")
        x = keras.Input(shapes[2 if name.endswith(("2D", "2DTranspose")) else 1])
        if name == "Embedding":
            x = keras.Input((8,), dtype="int32")
        built = layer(**given)
        model = keras.Model(x, built(x, x) if name == "MultiHeadAttention" else built(x))
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
        declared = declared_weights(config, "m.keras")
        assert declared == model.count_params(), name
