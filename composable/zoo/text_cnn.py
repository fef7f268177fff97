"""Convolutions over texts: TextCNN, what one finds anywhere, and DPCNN, a pyramid of them.

Kim 2014, "Convolutional Neural Networks for Sentence Classification", arXiv:1408.5882, figure 1, as CNN-rand.
Its limit on the norm of the classifier's weights is left out: Zhang & Wallace 2015, arXiv:1510.03820, found
little use in it.

Johnson & Zhang 2017, "Deep Pyramid Convolutional Neural Networks for Text Categorization" (ACL 2017),
figure 1a: 15 layers with weights, all of 250 maps. Without the region embeddings that it learns beforehand.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.layers import INITIALIZER
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.tasks import classifier
from composable.design.text import embedded


@component
def convolutions(x: Any, *, widths: tuple[Count, ...], filters: Count) -> Any:
    """A convolution over windows of each width, and the largest value of each map.

    As in the paper's code a window may begin before the text and end after it, but has a word in it.
    """
    vectors, there = x
    found = []
    for width in widths:
        padded, words = (layers.ZeroPadding1D(width - 1)(each) for each in (vectors, there))
        maps = layers.Conv1D(filters, width, activation="relu")(padded)
        some_word = layers.MaxPooling1D(width, strides=1)(words)
        found.append(layers.GlobalMaxPooling1D()(maps * some_word))
    return layers.Concatenate()(found) if len(found) > 1 else found[0]


@checked
def text_cnn(
    *,
    classes: Count = 2,
    vocabulary: Count = 20_000,
    width: Count | Open = 300,
    widths: tuple[Count, ...] | Open = (3, 4, 5),
    filters: Count | Open = 100,
    dropout: Rate | Open = 0.5,
) -> Architecture:
    """One layer of convolutions, maximum over time, dropout.

    Args:
        classes: How many there are.
        vocabulary: Ids of words, 0 for padding among them.
        width: Of the word vectors.
        widths: Of the windows, in words.
        filters: Maps per width.
        dropout: Before the scores.
    """
    return Architecture(
        stem=Part(embedded, vocabulary=vocabulary, width=width),
        learner=Part(convolutions, widths=widths, filters=filters),
        tasks=Part(classifier, classes=classes, dropout=dropout),
    )


@checked
def text_cnn_space(*, classes: Count = 2, vocabulary: Count = 20_000) -> Architecture:
    """The ranges that Zhang & Wallace 2015 found to matter: windows and maps."""
    return text_cnn(
        classes=classes,
        vocabulary=vocabulary,
        width=Choice((50, 100, 200, 300)),
        widths=Choice(((1, 2, 3), (3, 4, 5), (2, 3, 4, 5), (5, 6, 7), (7,))),
        filters=Between(50, 400, log=True),
        dropout=Between(0.0, 0.6),
    )


LOWEST = -1e9  # in place of padding, where a maximum is taken


@component
def regions(x: Any, *, size: Count = 3) -> Any:
    """The sum of the vectors of the words around each word: a linear map of the region's bag of words.

    The word vectors can hold the paper's bias, which has no weights of its own.
    """
    vectors, there = x
    around: Any = ((size - 1) // 2, size // 2)  # Keras's annotation admits one number alone
    padded = layers.ZeroPadding1D(around)(vectors)
    return layers.AveragePooling1D(size, strides=1)(padded) * float(size) * there, there


@component
def two_convolutions(x: Any, *, filters: Count) -> Any:
    """ReLU and convolution, twice, added to what comes in: no dimension ever has to be matched."""
    vectors, there = x
    y = vectors
    for _ in range(2):
        y = layers.ReLU()(y)
        y = layers.Conv1D(filters, 3, padding="same", kernel_initializer=INITIALIZER)(y) * there
    return layers.Add()([vectors, y]), there


@component
def pyramid(x: Any, *, block: Component, filters: Count, blocks: Count | None = None) -> Any:
    """Blocks with a halving of the text between them.

    Args:
        x: Vectors, and where there is a word.
        block: Takes `filters`.
        filters: Of every block.
        blocks: How many; None for as many as leave one position.

    Raises:
        ValueError: If neither the length of the text nor the number of blocks is given.
    """
    length = x[0].shape[1]
    if blocks is None and length is None:
        raise ValueError("A text of free length takes a number of blocks.")
    x = block(x, filters=filters)
    for _ in range((length - 1).bit_length() if blocks is None else blocks - 1):
        x = block(_halved(x), filters=filters)
    return x


@component
def maximum(x: Any) -> Any:
    """The largest value of each map, padding left out."""
    vectors, there = x
    return layers.GlobalMaxPooling1D()(_where(there, vectors, LOWEST))


def _halved(x: Any) -> Any:
    """The maximum of three positions, every second one.

    A window begins at every other word whatever the length: Keras's "same" would begin where it suits it.
    """
    vectors, there = x
    pool = layers.MaxPooling1D(3, strides=2)
    lowest = ops.pad(_where(there, vectors, LOWEST), ((0, 0), (0, 2), (0, 0)), constant_values=LOWEST)
    there = pool(ops.pad(there, ((0, 0), (0, 2), (0, 0))))
    return _where(there, pool(lowest), 0.0), there


def _where(there: Any, vectors: Any, otherwise: float) -> Any:
    return ops.where(ops.greater(there, 0.5), vectors, otherwise)


@checked
def dpcnn(
    *,
    classes: Count = 2,
    vocabulary: Count = 20_000,
    filters: Count | Open = 250,
    blocks: Count | Open | None = 7,
    region: Count | Open = 3,
    dropout: Rate | Open = 0.5,
) -> Architecture:
    """Regions embedded, convolutions halving the text, the maximum over what is left.

    Args:
        classes: How many there are.
        vocabulary: Ids of words, 0 for padding among them.
        filters: Everywhere.
        blocks: Of two convolutions each; None for as many as leave one position.
        region: Words in one, as embedded.
        dropout: Before the scores.
    """
    return Architecture(
        stem=(Part(embedded, vocabulary=vocabulary, width=filters), Part(regions, size=region)),
        learner=Part(pyramid, block=Part(two_convolutions), filters=filters, blocks=blocks),
        tasks=Part(classifier, classes=classes, pool=Part(maximum), dropout=dropout),
    )


@checked
def dpcnn_space(*, classes: Count = 2, vocabulary: Count = 20_000) -> Architecture:
    """Width and depth of the pyramid, and what it stands on."""
    return dpcnn(
        classes=classes,
        vocabulary=vocabulary,
        filters=Choice((64, 128, 250), name="filters"),
        blocks=Between(1, 7),
        region=Choice((1, 3, 5)),
        dropout=Between(0.0, 0.6),
    )
