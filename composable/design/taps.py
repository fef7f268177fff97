"""Taps: where a built model can be read, as named layers of an ordinary Keras model.

`encoding` is what the learner gives (feature maps), `embedding` the pooled vector, `logits` the scores before
the activation, and `probabilities` those after it. With several tasks each has its own: `age/logits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import keras
from keras import layers

from composable.core.errors import ConfigError
from composable.design.graph import deep_graphs
from composable.design.part import component

TAPS = ("encoding", "embedding", "logits", "probabilities")
_BEFORE_LAYERS: WeakKeyDictionary[keras.Model, dict[tuple[str, ...], keras.Model]] = WeakKeyDictionary()


def named(task: str, tap: str) -> str:
    """The name of the layer behind a task's tap; a Keras layer's name has no slash."""
    return f"{task}_{tap}" if task else tap


@component
def tapped(x: Any, *, name: str) -> Any:
    """A tap of one's own in the middle of the learner, which a task may read."""
    return layers.Identity(name=name)(x)


@deep_graphs()
def tap(model: keras.Model, name: str) -> keras.Model:
    """The sub-model from the inputs to a tap.

    Args:
        model: Built by an architecture, or loaded from where such a model was saved.
        name: One of `TAPS`; with several tasks `age/logits` for one of them, `logits` for all, as a list;
            or the name of any other layer. Of a model that averages networks, what only these have: a list
            with that of each.

    Raises:
        ConfigError: If there is no such tap.
    """
    layer = name.replace("/", "_")
    found = [each for each in model.layers if each.name == layer]
    if not found and "/" not in name:
        found = sorted(
            (each for each in model.layers if each.name.endswith(f"_{name}")),
            key=lambda each: (len(each.name), each.name),
        )
    outputs = [each.output for each in found] or _pooled(model, name) or _of_networks(model, name)
    if not outputs:
        raise ConfigError(
            f"The model has no tap {name!r}.",
            received=f"taps: {', '.join(_taps(model)) or 'none'}",
            remedy="name one of them, or any layer of the model",
        )
    return keras.Model(model.input, outputs[0] if len(outputs) == 1 else outputs)


def before_layers(model: keras.Model, names: Sequence[str]) -> keras.Model:
    """The sub-model from the inputs to what enters these layers.

    It is the same object whenever the same is asked of a model, so that it is compiled once.
    """
    found = _BEFORE_LAYERS.setdefault(model, {})
    if (key := tuple(names)) not in found:
        found[key] = keras.Model(model.input, [model.get_layer(name).input for name in names])
    return found[key]


def _pooled(model: keras.Model, name: str) -> list[Any]:
    """The embedding of a model that predicts per pixel or per step, which has no use for one itself."""
    names = {each.name for each in model.layers}
    if name.rpartition("/")[2] != "embedding" or "encoding" not in names:
        return []
    encoding: Any = model.get_layer("encoding").output
    rank = len(encoding.shape) if hasattr(encoding, "shape") else 0
    pooling = {2: layers.Identity, 3: layers.GlobalAveragePooling1D, 4: layers.GlobalAveragePooling2D}
    return [pooling[rank](name="embedding")(encoding)] if rank in pooling else []


def _of_networks(model: keras.Model, name: str) -> list[Any]:
    """The tap of every network inside the model that takes what the model takes."""
    networks = [each for each in model.layers if isinstance(each, keras.Model)]
    alike = [each for each in networks if [i.name for i in each.inputs] == [i.name for i in model.inputs]]
    return [found for each in alike for found in keras.tree.flatten(tap(each, name)(model.input))]


def _taps(model: keras.Model) -> list[str]:
    return [each.name for each in model.layers if each.name.endswith(TAPS)]
