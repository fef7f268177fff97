"""The layers of a pretrained Keras network, under whatever comes next: transfer (seed, chapter 6)."""

from __future__ import annotations

import json
from typing import Any, Literal

import keras
from keras import layers, ops

from composable.design.keras_configuration import checked_config
from composable.design.part import component
from composable.design.taps import TAPS

Levels = Literal["0..255", "0..1", "-1..1", "caffe"]
_CAFFE = (123.68, 116.779, 103.939)  # the means of ImageNet's red, green and blue


@component
def pretrained_layers(x: Any, *, network: str, levels: Levels = "0..1") -> Any:
    """Apply a network's layers, one by one, to images brought to the levels that it takes.

    Args:
        x: Images, of levels 0 to 255, as large as the network takes them.
        network: From one input of images to what comes next, as `network_json` writes it. It is made of the
            layers that a bundle may hold; its weights aren't in it.
        levels: That it takes; "caffe": blue first, each color less its mean over ImageNet.

    Raises:
        ArtifactError: If the network names anything else.
    """
    model: Any = keras.saving.deserialize_keras_object(checked_config(network.encode(), "the network"))
    x = _levelled(x, levels)
    made = {}

    def called(layer: Any, *arguments: Any, **keywords: Any) -> Any:
        made[layer.name] = layer(*arguments, **keywords)
        return made[layer.name]

    # What comes out of the copy itself is cut off from `x`.
    inputs = keras.tree.pack_sequence_as(model.input, [x])
    keras.models.clone_model(model, input_tensors=inputs, clone_function=_renamed, call_function=called)
    return made[next(reversed(made))]


def _levelled(x: Any, levels: Levels) -> Any:
    match levels:
        case "0..1":
            return layers.Rescaling(1 / 255)(x)
        case "-1..1":
            return layers.Rescaling(1 / 127.5, offset=-1.0)(x)
        case "caffe":
            means: Any = [-mean for mean in _CAFFE]
            return ops.flip(layers.Rescaling(1.0, offset=means)(x), axis=-1)
    return ops.cast(x, "float32")


def _renamed(layer: Any) -> Any:
    """The same layer; the names of taps belong to the model that it becomes a part of."""
    config = layer.get_config()
    if config["name"] in TAPS:
        config["name"] += "_before"
    return type(layer).from_config(config)


def network_json(model: keras.Model) -> str:
    """The network as JSON, as `pretrained_layers` takes it, without its weights.

    Raises:
        ArtifactError: If it holds anything but stock Keras layers.
    """
    text = model.to_json()
    checked_config(text.encode(), model.name)
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
