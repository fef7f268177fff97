"""U-Net: a path down to what is in the image and a path up to where, with skips across.

Ronneberger, Fischer & Brox 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
arXiv:1505.04597, figure 1: 572x572 pixels in, 388x388 out, as nothing is padded.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import EPSILON, INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.tasks import segmenter

FILTERS = (64, 128, 256, 512, 1024)  # per level, from the top
Padding = Literal["valid", "same"]


@component
def convolutions(x: Any, *, filters: Count, padding: Padding = "valid") -> Any:
    """Two 3x3 convolutions with ReLU; each takes a border of one pixel off unless padded."""
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding=padding, activation="relu", kernel_initializer=INITIALIZER)(x)
    return x


@component
def normalized_convolutions(
    x: Any, *, filters: Count, padding: Padding = "valid", momentum: Rate = 0.99
) -> Any:
    """As `convolutions`, batch-normalized, as most later U-Nets.

    Args:
        x: Feature maps.
        filters: Channels of both convolutions.
        padding: Of both.
        momentum: Of the normalizations' moving averages; a short training needs a smaller one.
    """
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding=padding, use_bias=False, kernel_initializer=INITIALIZER)(x)
        x = layers.BatchNormalization(momentum=momentum, epsilon=EPSILON)(x)
        x = layers.Activation("relu")(x)
    return x


@component
def stem(x: Any, *, block: Component, filters: Count, padding: Padding = "valid") -> Any:
    """The block at full size."""
    return block(x, filters=filters, padding=padding)


@component
def contract(
    x: Any, *, block: Component, filters: Count, padding: Padding = "valid", dropout: Rate = 0.0
) -> Any:
    """One level down: half the size, then the block. What came in is kept beside, for the way up.

    Args:
        x: Feature maps, or a tuple of them and the skips so far, the latest first.
        block: Takes `filters` and `padding`.
        filters: Of the block.
        padding: Of the block.
        dropout: After the block.

    Raises:
        ValueError: If nothing is padded and a side isn't even: a border would be lost on one side alone.
    """
    maps, *skips = x if isinstance(x, tuple) else (x,)
    sides = maps.shape[1:3]
    if padding == "valid" and any(side is None or side % 2 for side in sides):
        raise ValueError(
            f"{sides[0]}x{sides[1]} pixels can't be halved; unpadded, every level needs even sides."
        )
    x = layers.MaxPooling2D(2, padding=padding)(maps)
    x = block(x, filters=filters, padding=padding)
    x = layers.Dropout(dropout)(x) if dropout else x
    return (x, maps, *skips)


@component
def expand(x: Any, *, block: Component, filters: Count, padding: Padding = "valid") -> Any:
    """One level up: twice the size, beside the latest skip, then the block.

    Args:
        x: Feature maps and the skips that are left, the latest first.
        block: Takes `filters` and `padding`.
        filters: Of the block.
        padding: Of the block.

    Returns:
        Feature maps and the remaining skips; at the top, where none is left, feature maps alone.
    """
    maps, skip, *skips = x
    maps = layers.Conv2DTranspose(filters, 2, strides=2, kernel_initializer=INITIALIZER)(maps)
    # Unpadded, the skip is the larger one; padded, an odd side was rounded up on the way down.
    together = [_cropped(skip, maps), maps] if padding == "valid" else [skip, _cropped(maps, skip)]
    maps = block(layers.Concatenate()(together), filters=filters, padding=padding)
    return (maps, *skips) if skips else maps


def _cropped(x: Any, like: Any) -> Any:
    """The middle of `x`, as large as `like`; free sides are taken to fit."""
    sides = list(zip(x.shape[1:3], like.shape[1:3], strict=True))
    extra = [0 if None in pair else pair[0] - pair[1] for pair in sides]
    return layers.Cropping2D([(each // 2, each - each // 2) for each in extra])(x) if any(extra) else x


@checked
def unet(
    *,
    classes: Count = 2,
    filters: tuple[Count | Open, ...] = FILTERS,
    padding: Padding = "valid",
    block: Component | Open = convolutions,
    dropout: Rate | Open = 0.5,
) -> Architecture:
    """U-Net, to say of every pixel what it shows.

    Args:
        classes: How many there are.
        filters: Per level, from the top.
        padding: "valid" as published: the border of the image is context alone, and not segmented; "same" for
            images of any size, segmented up to their border.
        block: Any function of `filters` and `padding`.
        dropout: At the bottom, where the way down ends.
    """
    top, *below = filters
    rates = [0.0] * (len(below) - 1) + [dropout]
    down = [
        Part(contract, block=block, filters=f, padding=padding, dropout=rate)
        for f, rate in zip(below, rates, strict=True)
    ]
    up = [Part(expand, block=block, filters=f, padding=padding) for f in reversed(filters[:-1])]
    return Architecture(
        stem=Part(stem, block=block, filters=top, padding=padding),
        learner=(*down, *up),
        tasks=Part(segmenter, classes=classes),
    )


@checked
def unet_space(*, classes: Count = 2) -> Architecture:
    """The width of every level, the same down and up, one kind of block for all, and dropout; padded."""
    return unet(
        classes=classes,
        filters=tuple(
            Choice((f // 4, f // 2, f), name=f"filters_{level}") for level, f in enumerate(FILTERS)
        ),
        padding="same",
        block=Choice((Part(convolutions), Part(normalized_convolutions)), name="block"),
        dropout=Between(0.0, 0.5),
    )
