"""Super-resolution: a sharper image from a coarse one, enlarged before the network or at its end.

Before: SRCNN. Dong, Loy, He & Tang 2014, "Image Super-Resolution Using Deep Convolutional Networks",
arXiv:1501.00092, section 3 and table 3; its input is the coarse image, enlarged by bicubic interpolation.
At the end, where every convolution but the last works on the small image: FSRCNN, by transposed convolution
(Dong, Loy & Tang 2016, arXiv:1608.00367, figure 2), and ESPCN, by moving channels to pixels (Shi et al. 2016,
arXiv:1609.05158, figure 1).
"""

from __future__ import annotations

from typing import Any, Literal

from keras import layers, ops

from composable.design import Architecture, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, checked, paired
from composable.design.tasks import decoder

Activation = Literal["relu", "tanh", "prelu"]


@component
def convolution(x: Any, *, filters: Count, kernel_size: Count, activation: Activation | None = "relu") -> Any:
    """Convolution and activation, of whose learned form (PReLU) there is one per channel."""
    x = layers.Conv2D(filters, kernel_size, padding="same", kernel_initializer=INITIALIZER)(x)
    if activation == "prelu":
        return layers.PReLU(shared_axes=(1, 2))(x)
    return layers.Activation(activation)(x) if activation else x


@component
def transposed(x: Any, *, factor: Count, channels: Count, kernel_size: Count) -> Any:
    """Enlarged by transposed convolution."""
    return layers.Conv2DTranspose(channels, kernel_size, factor, padding="same")(x)


@component
def shuffled(x: Any, *, factor: Count, channels: Count, kernel_size: Count) -> Any:
    """Enlarged by a convolution whose channels become pixels: each gives `factor` by `factor` of them."""
    x = layers.Conv2D(channels * factor**2, kernel_size, padding="same")(x)
    return ops.depth_to_space(x, factor)


UPSAMPLING = {"transposed": transposed, "shuffled": shuffled}


@checked
def srcnn(
    *,
    channels: Count = 1,
    filters: tuple[Count | Open, Count | Open] = (64, 32),
    kernel_sizes: tuple[Count | Open, Count | Open, Count | Open] = (9, 1, 5),
) -> Architecture:
    """SRCNN: patches are extracted, mapped, and put together again, each by one convolution.

    Args:
        channels: Of the images, in and out; 1 for luminance alone, as published.
        filters: Of the first two convolutions.
        kernel_sizes: Of all three.
    """
    extraction, mapping, reconstruction = kernel_sizes
    last = Part(convolution, filters=channels, kernel_size=reconstruction, activation=None)
    return Architecture(
        stem=Part(convolution, filters=filters[0], kernel_size=extraction),
        learner=Part(convolution, filters=filters[1], kernel_size=mapping),
        tasks=Part(decoder, part=last),
    )


@checked
def srcnn_post(
    *,
    factor: Count = 3,
    channels: Count = 1,
    filters: tuple[Count | Open, ...] = (64, 32),
    kernel_sizes: tuple[Count | Open, ...] = (9, 1, 5),
    activation: Activation | Open = "relu",
    upsampling: Literal["transposed", "shuffled"] = "transposed",
) -> Architecture:
    """Super-resolution that enlarges at the end.

    Args:
        factor: How many times as high and wide.
        channels: Of the images, in and out.
        filters: Of all convolutions but the last.
        kernel_sizes: Of all convolutions; the last one enlarges.
        activation: Of all convolutions but the last.
        upsampling: By transposed convolution, or channels shuffled into pixels.

    Raises:
        ConfigError: If there isn't one kernel size more than filters.
    """
    first, *between = (
        Part(convolution, filters=f, kernel_size=k, activation=activation)
        for f, k in paired(filters=filters, kernel_sizes=kernel_sizes[:-1])
    )
    last = Part(UPSAMPLING[upsampling], factor=factor, channels=channels, kernel_size=kernel_sizes[-1])
    return Architecture(stem=first, learner=tuple(between), tasks=Part(decoder, part=last))


@checked
def srcnn_space(*, channels: Count = 1) -> Architecture:
    """The widths and the sizes of the kernels."""
    return srcnn(
        channels=channels,
        filters=(Choice((32, 64, 128)), Choice((16, 32, 64))),
        kernel_sizes=(Choice((5, 7, 9)), Choice((1, 3, 5)), Choice((3, 5))),
    )


@checked
def srcnn_post_space(*, factor: Count = 3, channels: Count = 1) -> Architecture:
    """The widths, the sizes of the kernels, the activation, and how the image is enlarged."""
    activation = Choice(("relu", "tanh", "prelu"), name="activation")
    space = srcnn_post(
        factor=factor,
        channels=channels,
        filters=(Choice((32, 64)), Choice((16, 32)), Choice((16, 32))),
        kernel_sizes=(Choice((3, 5, 9)), Choice((1, 3)), Choice((1, 3)), 5),
        activation=activation,
    )
    ways = [Part(way, factor=factor, channels=channels) for way in UPSAMPLING.values()]
    kernel_size = Choice((3, 5, 9), name="last_kernel_size")
    last = Choice(tuple(way.replace(kernel_size=kernel_size) for way in ways))
    return space.with_tasks(Part(decoder, part=last))
