"""One part over several tensors with the same weights: twins, triplets, several views of one thing."""

from __future__ import annotations

from typing import Any

import keras

from composable.design.part import Component, component
from composable.design.trail import shapes


@component
def shared(x: Any, *, part: Component) -> Any:
    """The same layers, with the same weights, over each tensor of a tuple or dict.

    The part becomes a model inside the model, which is called once for each tensor; taps inside it aren't the
    outer model's.

    Args:
        x: Tensors of one shape and type.
        part: What each of them goes through.

    Returns:
        What the part makes of each, in the same tuple or dict.

    Raises:
        ValueError: If `x` is a single tensor, or its tensors differ in shape or type.
    """
    several = isinstance(x, tuple | list | dict)
    tensors = list(x.values() if isinstance(x, dict) else x) if several else []
    if len({(tensor.shape, tensor.dtype) for tensor in tensors}) != 1:
        raise ValueError(f"Weights are shared by several tensors of one shape and type, not by {shapes(x)}.")
    given = keras.Input(tensors[0].shape[1:], dtype=tensors[0].dtype)
    trunk = keras.Model(given, part(given))
    made = [trunk(tensor) for tensor in tensors]
    return dict(zip(x, made, strict=True)) if isinstance(x, dict) else tuple(made)
