"""MLP-Mixer: two layers across the patches, two across the channels, and nothing else.

Tolstikhin et al. 2021, "MLP-Mixer: An all-MLP Architecture for Vision", arXiv:2105.01601, figure 1, table 1.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Choice, Part, component
from composable.design.layers import patches
from composable.design.metaparameters import Count, checked
from composable.design.tasks import classifier, pooled

EPSILON = 1e-6


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
