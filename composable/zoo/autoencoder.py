"""Autoencoders: a narrow code of what is given, from which it is made again.

Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 504-507,
figure 1; the convolutional one after Masci et al. 2011, "Stacked Convolutional Auto-Encoders for Hierarchical
Feature Extraction", ICANN, with strides in the place of pooling.

The learner is the encoder, the task's `embedding` is the code, and the decoder mirrors the encoder.
"""

from __future__ import annotations

from math import prod
from typing import Any

from keras import layers

from composable.design import Architecture, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import conv_norm, norm
from composable.design.metaparameters import Count, checked
from composable.design.tasks import decoder

Counts = tuple[Count, ...]


@component
def row(x: Any, *, shape: Counts) -> Any:
    """All values in one row.

    Raises:
        ValueError: If they don't have the shape that the decoder makes.
    """
    if tuple(x.shape[1:]) != tuple(shape):
        raise ValueError(f"An autoencoder of shape {shape} can't make {tuple(x.shape[1:])} again.")
    return layers.Flatten()(x)


@component
def dense_encoder(
    x: Any, *, units: Counts, activation: str | None = "relu", code_activation: str | None = "relu"
) -> Any:
    """Ever narrower dense layers; the last gives the code."""
    for width in units[:-1]:
        x = layers.Dense(width, activation)(x)
    return layers.Dense(units[-1], code_activation)(x)


@component
def dense_decoder(x: Any, *, units: Counts, shape: Counts, activation: str | None = "relu") -> Any:
    """The encoder's layers from the code back to the shape of what was encoded."""
    for width in reversed(units[:-1]):
        x = layers.Dense(width, activation)(x)
    return layers.Reshape(shape)(layers.Dense(prod(shape))(x))


@component
def images(x: Any, *, channels: Count) -> Any:
    """Images as they are.

    Raises:
        ValueError: If they don't have the channels that the decoder makes.
    """
    if len(x.shape) != 4 or x.shape[-1] != channels:
        raise ValueError(
            f"An autoencoder of images with {channels} channels can't make {tuple(x.shape[1:])} again."
        )
    return x


@component
def conv_encoder(x: Any, *, filters: Counts) -> Any:
    """3x3 convolutions, each of which halves the image; the last gives the code.

    Raises:
        ValueError: If a side can't be halved, so that doubling would give another.
    """
    for count in filters:
        height, width = x.shape[1:3]
        if any(side is not None and side % 2 for side in (height, width)):
            raise ValueError(f"{height}x{width} pixels can't be halved: {len(filters)} times in all.")
        x = conv_norm(x, count, 3, strides=2)
    return x


@component
def conv_decoder(x: Any, *, filters: Counts, channels: Count) -> Any:
    """The encoder's convolutions transposed, from the code back to the image."""
    for count in reversed(filters[:-1]):
        x = norm(layers.Conv2DTranspose(count, 3, 2, padding="same", use_bias=False)(x), "relu")
    return layers.Conv2DTranspose(channels, 3, 2, padding="same")(x)


@checked
def dense_autoencoder(
    *,
    shape: Counts = (784,),
    units: Counts | Open = (256, 128, 64),
    activation: str | Open | None = "relu",
    code_activation: str | Open | None = "relu",
    output_activation: str | None = "sigmoid",
) -> Architecture:
    """An autoencoder of dense layers, for values of any shape.

    Args:
        shape: Of one row: what is encoded, and made again.
        units: Of the encoder's layers; the last ones are the code.
        activation: Of all layers but the code and the last.
        code_activation: Of the code.
        output_activation: "sigmoid" for values from 0 to 1; None for any.
    """
    return Architecture(
        stem=Part(row, shape=shape),
        learner=Part(dense_encoder, units=units, activation=activation, code_activation=code_activation),
        tasks=Part(
            decoder,
            part=Part(dense_decoder, units=units, shape=shape, activation=activation),
            activation=output_activation,
        ),
    )


@checked
def conv_autoencoder(
    *,
    channels: Count = 3,
    filters: Counts | Open = (64, 32, 16),
    output_activation: str | None = "sigmoid",
) -> Architecture:
    """An autoencoder of convolutions, for images whose sides can be halved once per convolution.

    Args:
        channels: Of the images.
        filters: Of the encoder's convolutions; the last ones are the code.
        output_activation: "sigmoid" for pixels from 0 to 1; None for any.
    """
    return Architecture(
        stem=Part(images, channels=channels),
        learner=Part(conv_encoder, filters=filters),
        tasks=Part(
            decoder,
            part=Part(conv_decoder, filters=filters, channels=channels),
            activation=output_activation,
        ),
    )


@checked
def dense_autoencoder_space(*, shape: Counts = (784,)) -> Architecture:
    """Depth and widths, the same on both sides, and what follows the layers."""
    return dense_autoencoder(
        shape=shape,
        units=Choice(((256, 64), (256, 128, 64), (512, 128, 32), (1000, 500, 250, 30)), name="units"),
        activation=Choice(("relu", "gelu", "sigmoid"), name="activation"),
        code_activation=Choice(("relu", None)),
    )


@checked
def conv_autoencoder_space(*, channels: Count = 3) -> Architecture:
    """Depth and widths, the same on both sides."""
    filters = ((32, 16), (64, 32), (32, 16, 8), (64, 32, 16), (64, 64, 32))
    return conv_autoencoder(channels=channels, filters=Choice(filters, name="filters"))
