"""Pre-stems and stems: what happens to raw pixels, inside the model, and how clean features of a table begin.

`without_augmentation` takes `augment` out of an architecture, as it is deployed. What makes clean features of
the columns of a table is in `composable.design.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import keras
from keras import layers, ops
from pydantic import Field

from composable.design.architecture import Architecture, Parts
from composable.design.choice import Choice
from composable.design.metaparameters import Count
from composable.design.part import Component, Part, component

Finite = Annotated[float, Field(allow_inf_nan=False)]
Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


@component
def select_input(x: Mapping[str, Any], *, name: str = "images") -> Any:
    """Return one of several inputs by its name."""
    return x[name]


@component
def rescale(x: Any, *, scale: float = 1 / 255, offset: float = 0.0) -> Any:
    """Pixels times `scale` plus `offset`: 0 to 255 becomes 0 to 1."""
    return layers.Rescaling(scale, offset)(x)


@component
def normalize(x: Any) -> Any:
    """Pixels from 0 to 255 become -1 to 1, as MobileNet and Inception want them."""
    return layers.Rescaling(1 / 127.5, -1.0)(x)


@component
def standardize(x: Any, *, mean: tuple[Finite, ...], deviation: tuple[Deviation, ...]) -> Any:
    """Each channel minus its mean, over its standard deviation, both taken from training pixels.

    Raises:
        ValueError: If there isn't one of each per channel.
    """
    channels = x.shape[-1]
    if not len(mean) == len(deviation) == channels:
        raise ValueError(f"{channels} channels take as many means and deviations.")
    offset: Any = [-m / d for m, d in zip(mean, deviation, strict=True)]
    return layers.Rescaling([1 / d for d in deviation], offset)(x)


@component
def resize(x: Any, *, height: Count, width: Count, crop: bool = False) -> Any:
    """Every image to one size, bilinear; `crop` keeps the proportions and cuts the rest."""
    return layers.Resizing(height, width, crop_to_aspect_ratio=crop)(_floating(x))


@component
def deconvolution(x: Any, *, height: Count, width: Count, filters: Count = 3) -> Any:
    """A learned enlargement by transposed convolution (seed, chapter 7: 32 to 128 pixels).

    Raises:
        ValueError: If a side isn't a whole multiple of the image's.
    """
    factors = []
    for side, wanted in zip(x.shape[1:3], (height, width), strict=True):
        if side is None or wanted % side:
            raise ValueError(f"A side of {side} pixels can't be enlarged to {wanted}: no whole multiple.")
        factors.append(wanted // side)
    kernel = tuple(2 * factor - factor % 2 for factor in factors)  # as wide as bilinear interpolation
    return layers.Conv2DTranspose(filters, kernel, tuple(factors), padding="same", activation="relu")(
        _floating(x)
    )


@component
def augment(
    x: Any,
    *,
    flip: Literal["horizontal", "vertical", "horizontal_and_vertical"] | None = "horizontal",
    shift: Share = 0.1,
    rotation: Share = 0.0,
    zoom: Share = 0.0,
    contrast: Share = 0.0,
    pixels: tuple[float, float] = (0, 255),
) -> Any:
    """Other views of the same image while training; images pass untouched otherwise.

    Args:
        x: Images.
        flip: Which ways, at random.
        shift: At most, as a share of each side.
        rotation: At most, as a share of a full turn.
        zoom: At most, as a share of each side.
        contrast: At most, as a share of the distance from the mean.
        pixels: The darkest and the brightest, beyond which a higher contrast is cut off.
    """
    x = _floating(x)
    x = layers.RandomFlip(flip)(x) if flip else x
    x = layers.RandomTranslation(shift, shift, fill_mode="reflect")(x) if shift else x
    x = layers.RandomRotation(rotation, fill_mode="reflect")(x) if rotation else x
    x = layers.RandomZoom(zoom, fill_mode="reflect")(x) if zoom else x
    return layers.RandomContrast(contrast, pixels)(x) if contrast else x


def _floating(x: Any) -> Any:
    """Whole-numbered pixels as decimals, or what lies between two of them would be rounded."""
    return x if keras.backend.is_float_dtype(x.dtype) else ops.cast(x, keras.config.floatx())


def without_augmentation(architecture: Architecture) -> Architecture:
    """The architecture as it is deployed: `augment` has no weights, so those trained with it still fit."""
    return replace(architecture, prestem=_without(architecture.prestem))


def _without(parts: Parts) -> Parts:
    match parts:
        case Part():
            return () if parts.component is augment else parts
        case tuple():
            return tuple(kept for kept in map(_without, parts) if kept != ())
        case Choice(options=options):
            return replace(parts, options=tuple(map(_without, options)))
    return parts


@component
def table_with_images(x: Mapping[str, Any], *, table: Component | None, images: Component) -> dict[str, Any]:
    """Put the features of a row's images beside the clean ones of its other columns.

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
def several_images(x: Any, *, count: Count, images: Component) -> Any:
    """Apply one network, with the same weights, to each of the several images of a row.

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


@component
def concatenated(x: Mapping[str, Any]) -> Any:
    """The clean features as they are, shape (rows, features)."""
    return x["plain"]


@component
def piecewise_linear(x: Mapping[str, Any], *, width: Count = 16, activation: str | None = None) -> Any:
    """Piecewise-linear embeddings beside the clean features (Gorishniy et al. 2022, section 3.1).

    Args:
        x: `plain` and `bins` of the pre-stem.
        width: The length of each number's embedding.
        activation: None as in TabM (its version B), "relu" as in the first paper.

    Returns:
        Shape (rows, features + numbers * width).
    """
    if "bins" not in x:
        return x["plain"]
    numbers = int(x["bins"].shape[1])
    embedded = layers.EinsumDense(
        "bft,ftd->bfd", (numbers, width), bias_axes="fd", activation=activation, name="piecewise_linear"
    )(x["bins"])
    return layers.Concatenate()([x["plain"], layers.Flatten()(embedded)])
