"""Pre-stem for rows of numbers, words and an image each: the image's features join the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers

from composable.design.part import Component, component


@component
def beside_images(x: Mapping[str, Any], *, table: Component, images: Component) -> dict[str, Any]:
    """A table's clean features, those of its image among the `plain` ones.

    Args:
        x: The inputs, `images` among them.
        table: What prepares the others.
        images: From images to one vector per row.
    """
    clean = table({name: value for name, value in x.items() if name != "images"})
    seen = layers.BatchNormalization()(images(x["images"]))
    return {**clean, "plain": layers.Concatenate()([clean["plain"], seen])}
