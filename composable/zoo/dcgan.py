"""DCGAN: a generator that makes images from noise, and a discriminator that tells them from real ones.

Radford, Metz & Chintala 2015, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", arXiv:1511.06434, figure 1 and section 3. Two architectures, which are trained against
each other.
"""

from __future__ import annotations

from typing import Any

from keras import layers
from keras.initializers import RandomNormal

from composable.design import Architecture, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import norm
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import binary_classifier, decoder, dense_scores, flattened

FILTERS = (1024, 512, 256, 128)  # figure 1, from the noise on
STDDEV = 0.02  # of all initial weights (section 4)


@component
def noise_stem(x: Any, *, filters: Count, side: Count = 4) -> Any:
    """The noise, spread over a small image."""
    x = layers.Dense(side * side * filters, use_bias=False, kernel_initializer=_initial())(x)
    return norm(layers.Reshape((side, side, filters))(x), "relu")


@component
def upsampled(x: Any, *, filters: Count, kernel_size: Count = 5) -> Any:
    """Twice the size by transposed convolution, batch normalization, ReLU."""
    return norm(to_image(x, channels=filters, kernel_size=kernel_size), "relu")


@component
def to_image(x: Any, *, channels: Count, kernel_size: Count = 5) -> Any:
    """Twice the size by transposed convolution alone."""
    return layers.Conv2DTranspose(
        channels, kernel_size, 2, padding="same", use_bias=False, kernel_initializer=_initial()
    )(x)


@component
def downsampled(
    x: Any, *, filters: Count, kernel_size: Count = 5, slope: Rate = 0.2, normalized: bool = True
) -> Any:
    """Half the size by convolution, batch normalization but at the first, leaky ReLU."""
    x = layers.Conv2D(filters, kernel_size, 2, padding="same", use_bias=False, kernel_initializer=_initial())(
        x
    )
    return layers.LeakyReLU(slope)(norm(x) if normalized else x)


def _initial() -> Any:
    """A new one per layer, as each draws its own values."""
    return RandomNormal(stddev=STDDEV)


@checked
def dcgan_generator(
    *,
    channels: Count = 3,
    filters: tuple[Count | Open, ...] = FILTERS,
    kernel_size: Count | Open = 5,
    side: Count = 4,
) -> Architecture:
    """Noise to images of values from -1 to 1, whose side is `side` doubled once per number of filters.

    Args:
        channels: Of the images.
        filters: Of the first small image and of every one after it but the last.
        kernel_size: Of the transposed convolutions.
        side: Of the first small image.
    """
    first, *later = filters
    return Architecture(
        stem=Part(noise_stem, filters=first, side=side),
        learner=tuple(Part(upsampled, filters=f, kernel_size=kernel_size) for f in later),
        tasks=Part(
            decoder, part=Part(to_image, channels=channels, kernel_size=kernel_size), activation="tanh"
        ),
    )


@checked
def dcgan_discriminator(
    *,
    filters: tuple[Count | Open, ...] = FILTERS[::-1],
    kernel_size: Count | Open = 5,
    slope: Rate | Open = 0.2,
) -> Architecture:
    """Images to the probability that they are real: the generator's widths in the opposite order.

    Args:
        filters: Per convolution, each of which halves the image.
        kernel_size: Of the convolutions.
        slope: Of the leaky ReLU below zero.
    """
    first, *later = (Part(downsampled, filters=f, kernel_size=kernel_size, slope=slope) for f in filters)
    return Architecture(
        stem=first.replace(normalized=False),
        learner=tuple(later),
        tasks=Part(binary_classifier, pool=flattened, scores=Part(dense_scores, use_bias=False)),
    )


@checked
def dcgan_generator_space(*, channels: Count = 3) -> Architecture:
    """The width of every image on the way, and the size of the kernels."""
    return dcgan_generator(channels=channels, filters=_widths(FILTERS), kernel_size=_kernel_size())


@checked
def dcgan_discriminator_space() -> Architecture:
    """The width of every image on the way, the size of the kernels, and the slope."""
    slope = Choice((0.1, 0.2, 0.3), name="slope")
    return dcgan_discriminator(filters=_widths(FILTERS[::-1]), kernel_size=_kernel_size(), slope=slope)


def _widths(filters: tuple[int, ...]) -> tuple[Choice, ...]:
    return tuple(Choice((f // 4, f // 2, f)) for f in filters)


def _kernel_size() -> Choice:
    return Choice((3, 4, 5), name="kernel_size")
