"""What a model takes in: one tensor per row, or several by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from composable.core.errors import ConfigError

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Input:
    """One tensor: its shape without the rows, None where it is free, and its type.

    Raises:
        ConfigError: If a size isn't a whole number above zero, or None.
    """

    shape: Shape
    dtype: str = "float32"

    def __post_init__(self) -> None:
        sizes = self.shape if isinstance(self.shape, tuple) else (0,)
        if not all(size is None or (type(size) is int and size > 0) for size in sizes):
            raise ConfigError(
                "A shape is a tuple of whole numbers above zero, None where it is free, without the rows.",
                received=f"{self.shape!r}",
                remedy="for example (224, 224, 3) for images of 224 by 224 pixels in color",
            )


Inputs = Input | Shape | Mapping[str, Input | Shape]


def as_inputs(inputs: Inputs) -> Input | dict[str, Input]:
    """The same with every shape an `Input`."""
    if isinstance(inputs, Mapping):
        return {name: value if isinstance(value, Input) else Input(value) for name, value in inputs.items()}
    return inputs if isinstance(inputs, Input) else Input(inputs)


def keras_inputs(inputs: Inputs) -> Any:
    """Keras's symbolic inputs: one tensor, or a dict of them by name."""
    import keras

    match as_inputs(inputs):
        case Input(shape, dtype):
            return keras.Input(shape, dtype=dtype)
        case several:
            return {name: keras.Input(i.shape, dtype=i.dtype, name=name) for name, i in several.items()}
