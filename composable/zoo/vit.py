"""Networks that see an image as a sequence of patches: the vision transformer, and MLP-Mixer.

In the vision transformer attention does the rest: Dosovitskiy et al. 2020, "An Image is Worth 16x16 Words:
Transformers for Image Recognition at Scale", arXiv:2010.11929, figure 1 and table 1. The tiny and the small
one are those of Touvron et al. 2020, arXiv:2012.12877; averaging instead of the class token is from Zhai et
al. 2021, arXiv:2106.04560.

MLP-Mixer has two layers across the patches, two across the channels, and nothing else: Tolstikhin et al.
2021, "MLP-Mixer: An all-MLP Architecture for Vision", arXiv:2105.01601, figure 1, table 1.
"""

from __future__ import annotations

from typing import Any, Literal

from keras import initializers, layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.layers import patches
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import classifier, pooled

EPSILON = 1e-6


@component
def class_token(x: Any) -> Any:
    """A learned token before the sequence: what attention gathers there stands for the image."""
    first = ops.zeros_like(x[:, :1, 0], dtype="int32")
    return layers.Concatenate(axis=1)([_learned(first, 1, x.shape[-1], "class_token"), x])


@component
def positions(x: Any, *, dropout: Rate = 0.0) -> Any:
    """A learned vector per position is added."""
    # Counted from one row alone: every row has the same, and the table is looked up once.
    counted: Any = ops.cumsum(ops.ones_like(x[:1, :, 0], dtype="int32"), axis=1)
    x = x + _learned(counted - 1, x.shape[1], x.shape[-1], "positions")
    return layers.Dropout(dropout)(x) if dropout else x


@component
def encoder_block(x: Any, *, heads: Count, expansion: Count = 4, dropout: Rate = 0.0) -> Any:
    """Attention across the sequence, then two layers in every position, both normalized first and added.

    Args:
        x: A sequence of vectors.
        heads: Of the attention; each sees as large a part of the vectors.
        expansion: How many times wider the first of the two layers is.
        dropout: Of both branches, and between the two layers.

    Raises:
        ValueError: If the heads don't divide the width.
    """
    width = x.shape[-1]
    if width % heads:
        raise ValueError(f"{heads} heads don't divide vectors of {width} numbers.")
    branch = layers.LayerNormalization(epsilon=EPSILON)(x)
    branch = layers.MultiHeadAttention(heads, width // heads)(branch, branch)
    x = layers.Add()([x, _dropped(branch, dropout)])
    branch = layers.LayerNormalization(epsilon=EPSILON)(x)
    branch = _dropped(layers.Dense(expansion * width, activation="gelu")(branch), dropout)
    branch = _dropped(layers.Dense(width)(branch), dropout)
    return layers.Add()([x, branch])


@component
def first_token(x: Any) -> Any:
    """What the class token has become."""
    return x[:, 0]


@checked
def vit(
    *,
    patch: Count = 16,
    width: Count = 768,
    depth: Count = 12,
    heads: Count = 12,
    classes: Count = 1000,
    pool: Literal["token", "average"] = "token",
    dropout: Rate = 0.0,
) -> Architecture:
    """Vision transformer; the defaults are the base model.

    Args:
        patch: The side of the patches.
        width: Of the vectors.
        depth: Blocks.
        heads: Of the attention.
        classes: How many there are.
        pool: What stands for the image: a class token, or the average over all patches.
        dropout: Of the sequence and of every branch.
    """
    block = Part(encoder_block, heads=heads, dropout=dropout)
    token = pool == "token"
    return Architecture(
        stem=(
            Part(patches, size=patch, width=width),
            *((Part(class_token),) if token else ()),
            Part(positions, dropout=dropout),
        ),
        learner=(
            (block,) * depth,
            Part(layers.LayerNormalization, epsilon=EPSILON),
        ),
        tasks=Part(classifier, classes=classes, pool=first_token if token else pooled),
    )


@checked
def vit_space(*, classes: Count = 1000) -> Architecture:
    """Size of the patches, width, depth, heads and dropout."""
    block = Part(
        encoder_block,
        heads=Choice((2, 4, 8), name="heads"),
        expansion=Choice((2, 4), name="expansion"),
        dropout=Between(0.0, 0.3, name="dropout"),
    )
    return Architecture(
        stem=(
            Part(patches, size=Choice((4, 8, 16)), width=Choice((64, 128, 256))),
            Part(positions),
        ),
        learner=(
            Choice(tuple((block,) * depth for depth in (2, 4, 6, 8))),
            Part(layers.LayerNormalization, epsilon=EPSILON),
        ),
        tasks=Part(classifier, classes=classes, pool=pooled),
    )


def _learned(numbers: Any, count: int, width: int, name: str) -> Any:
    first: Any = initializers.RandomNormal(stddev=0.02)
    return layers.Embedding(count, width, first, name=name)(numbers)


def _dropped(x: Any, rate: float) -> Any:
    return layers.Dropout(rate)(x) if rate else x


@component
def mixer_block(x: Any, *, across_patches: Count, across_channels: Count) -> Any:
    """The same two layers for every channel, then the same two for every patch.

    Args:
        x: Patches, each with its channels.
        across_patches: Nodes of the hidden layer that sees all patches of a channel.
        across_channels: Nodes of the hidden layer that sees all channels of a patch.
    """
    branch = layers.Permute((2, 1))(_normed(x))
    branch = layers.Permute((2, 1))(_two_layers(branch, across_patches))
    x = layers.Add()([x, branch])
    return layers.Add()([x, _two_layers(_normed(x), across_channels)])


def _two_layers(x: Any, hidden: int) -> Any:
    return layers.Dense(x.shape[-1])(layers.Dense(hidden, activation="gelu")(x))


def _normed(x: Any) -> Any:
    return layers.LayerNormalization(epsilon=EPSILON)(x)


@checked
def mlp_mixer(
    *,
    patch: Count = 16,
    width: Count = 768,
    depth: Count = 12,
    across_patches: Count = 384,
    across_channels: Count = 3072,
    classes: Count = 1000,
) -> Architecture:
    """MLP-Mixer; the defaults are the base model.

    Args:
        patch: The side of the patches.
        width: Channels of a patch.
        depth: Blocks.
        across_patches: Nodes of the hidden layers that see all patches.
        across_channels: Nodes of the hidden layers that see all channels.
        classes: How many there are.
    """
    block = Part(mixer_block, across_patches=across_patches, across_channels=across_channels)
    return Architecture(
        stem=Part(patches, size=patch, width=width),
        learner=(
            (block,) * depth,
            Part(layers.LayerNormalization, epsilon=EPSILON),
        ),
        tasks=Part(classifier, classes=classes, pool=pooled),
    )


@checked
def mlp_mixer_space(*, classes: Count = 1000) -> Architecture:
    """Size of the patches, width, depth, and both hidden layers."""
    block = Part(
        mixer_block,
        across_patches=Choice((64, 128, 256), name="across_patches"),
        across_channels=Choice((256, 512, 1024), name="across_channels"),
    )
    return Architecture(
        stem=Part(patches, size=Choice((4, 8, 16)), width=Choice((64, 128, 256))),
        learner=(
            Choice(tuple((block,) * depth for depth in (2, 4, 6, 8))),
            Part(layers.LayerNormalization, epsilon=EPSILON),
        ),
        tasks=Part(classifier, classes=classes, pool=pooled),
    )
