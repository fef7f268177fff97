"""Networks of one's own as components."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from composable.core.errors import ArtifactError
from composable.design import Architecture, Part
from composable.design.pretrained import network_json, pretrained_layers
from composable.design.tasks import classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype("uint8")


def own():
    """With a branch, and a layer whose name is that of a tap."""
    images = keras.Input((8, 8, 3))
    x = shortcut = keras.layers.Conv2D(4, 3, padding="same", name="encoding")(images)
    x = keras.layers.BatchNormalization()(keras.ops.relu(x))
    return keras.Model(images, keras.layers.Add(name="sum")([shortcut, x]))


def grown(levels):
    part = Part(pretrained_layers, network=network_json(own()), levels=levels)
    return Architecture(learner=part, tasks=Part(classifier, classes=2))


@pytest.mark.parametrize(
    ("levels", "scaled"),
    [
        ("0..255", lambda x: x),
        ("0..1", lambda x: x / 255),
        ("-1..1", lambda x: x / 127.5 - 1),
        ("caffe", lambda x: (x - np.array([123.68, 116.779, 103.939]))[..., ::-1]),
    ],
)
def test_it_says_what_the_network_says_of_images_with_its_levels(levels, scaled):
    network, architecture = own(), grown(levels)
    model = Architecture.from_json(architecture.to_json()).build((8, 8, 3))
    encoding = keras.Model(model.inputs, model.get_layer("encoding").output)
    encoding.set_weights(network.get_weights())
    expected = network.predict(scaled(IMAGES.astype("float32")), verbose=0)
    found = encoding.predict(IMAGES.astype("float32"), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3 if levels == "caffe" else 1e-5)


def test_a_network_that_could_run_code_is_refused():
    config = json.loads(network_json(own()))
    config["config"]["layers"][1]["class_name"] = "Lambda"
    with pytest.raises(ArtifactError, match="Lambda"):
        pretrained_layers(keras.Input((8, 8, 3)), network=json.dumps(config))
