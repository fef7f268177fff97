"""TextCNN: what a convolution finds anywhere in a text.

Kim 2014, "Convolutional Neural Networks for Sentence Classification", arXiv:1408.5882, figure 1, as CNN-rand.
Its limit on the norm of the classifier's weights is left out: Zhang & Wallace 2015, arXiv:1510.03820, found
little use in it.
"""

from __future__ import annotations

from typing import Any

from keras import layers

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
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
