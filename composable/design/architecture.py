"""An architecture is a pre-stem, a stem, a learner and one task per head."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import keras

from composable.design.part import Part, fill, from_config, to_config

FORMAT = "composable.architecture/1"


@dataclass(frozen=True)
class Architecture:
    """A model described, not yet built: parts in the order that data flows through them.

    Attributes:
        prestem: Raw inputs to clean features (imputed, scaled, one-hot).
        stem: Clean features to the first vector.
        learner: The blocks, one after another.
        tasks: One per head; each sees what the learner gives.
    """

    prestem: Part
    stem: Part
    learner: tuple[Part, ...]
    tasks: tuple[Part, ...]

    def build(self, widths: Mapping[str, int]) -> keras.Model:
        """An ordinary functional Keras model.

        Args:
            widths: The width of each input, as `Encoding.widths` gives them; `categories` are integers.

        Returns:
            A model from the inputs, by name, to one output per task. Each task's `logits` and
            `probabilities` are layers that `tap` reaches.
        """
        inputs = {
            name: keras.Input((width,), dtype="int32" if name == "categories" else "float32", name=name)
            for name, width in widths.items()
        }
        x = self.stem(self.prestem(dict(inputs)))
        for block in self.learner:
            x = block(x)
        x = keras.layers.Identity(name="embedding")(x)
        outputs = [task(x, head=number) for number, task in enumerate(self.tasks)]
        return keras.Model(inputs, outputs)

    def fill(self, choose: Callable[[str, tuple[Any, ...]], Any]) -> Architecture:
        """Close every open choice with `choose(path, options)`."""
        return Architecture(**{f.name: fill(getattr(self, f.name), choose, f.name) for f in fields(self)})

    def to_config(self) -> dict[str, Any]:
        """The architecture as plain JSON values."""
        return {"format": FORMAT} | {f.name: to_config(getattr(self, f.name)) for f in fields(self)}

    def to_json(self) -> str:
        """The architecture as JSON."""
        return json.dumps(self.to_config())

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """Rebuild what `to_json` wrote."""
        config = json.loads(text)
        if config.pop("format", None) != FORMAT:
            raise ValueError(f"This isn't an architecture in the format {FORMAT!r}.")
        return cls(**{name: from_config(value) for name, value in config.items()})


def tap(model: keras.Model, name: str) -> keras.Model:
    """The sub-model from the inputs to the layers called `name`: `embedding`, `logits` or `probabilities`.

    With several heads `logits` gives one output per head, in order; `head_0_logits` is one head's.

    Raises:
        ValueError: If no layer has that name.
    """
    named = [layer for layer in model.layers if layer.name == name or layer.name.endswith("_" + name)]
    found = [layer.output for layer in sorted(named, key=lambda layer: (len(layer.name), layer.name))]
    if not found:
        raise ValueError(f"The model has no tap {name!r}. Layers: {[layer.name for layer in model.layers]}.")
    return keras.Model({tensor.name: tensor for tensor in model.inputs}, found)
