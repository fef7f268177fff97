"""Pre-stems for rows that hold an image beside numbers and words, or several images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import layers, ops

from composable.design.metaparameters import Count
from composable.design.part import Component, component


@component
def beside_images(x: Mapping[str, Any], *, table: Component | None, images: Component) -> dict[str, Any]:
    """A table's clean features, those of its images among the `plain` ones.

    Args:
        x: The inputs, `images` among them.
        table: What prepares the others; None where there are no others.
        images: From images to one vector per row.
    """
    seen = layers.BatchNormalization()(images(x["images"]))
    if table is None:
        return {"plain": seen}
    clean = table({name: value for name, value in x.items() if name != "images"})
    return {**clean, "plain": layers.Concatenate()([clean["plain"], seen])}


@component
def each_image(x: Any, *, count: Count, images: Component) -> Any:
    """The same network, with the same weights, over each image of a row; what they make, and how it differs.

    Args:
        x: (rows, height, width, count * channels), the images' channels one behind the other.
        count: Of the images in a row.
        images: From images to one vector each.

    Returns:
        (rows, (count + 1) * length of a vector): the vectors, then the range of each of their values, which
        is the distance where there are two.
    """
    height, width, channels = x.shape[1:]
    each = ops.reshape(x, (-1, height, width, count, channels // count))
    each = ops.reshape(ops.transpose(each, (0, 3, 1, 2, 4)), (-1, height, width, channels // count))
    vectors: Any = images(each)
    vectors = ops.reshape(vectors, (-1, count, vectors.shape[-1]))
    differing = ops.subtract(ops.max(vectors, axis=1), ops.min(vectors, axis=1))
    return layers.Concatenate()([layers.Flatten()(vectors), differing])
