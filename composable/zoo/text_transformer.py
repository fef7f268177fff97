"""A small Transformer encoder for text: words attend to words.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, figure 1 left, normalized before each
sub-layer (Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", arXiv:2002.04745,
figure 1b), with learned positions and GELU (Devlin et al. 2018, "BERT", arXiv:1810.04805).
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tasks import classifier
from composable.design.text import embedded, mean_of_words


@component
def positioned(x: Any, *, positions: Count) -> Any:
    """Add a learned vector for every position; beyond them, where the length is free, that of the last one.

    Raises:
        ValueError: If the text is longer.
    """
    vectors, there = x
    length, width = vectors.shape[1:]
    if length is not None and length > positions:
        raise ValueError(
            f"Texts have {length} words, positions are learned for {positions}: longest={length}."
        )
    counted: Any = ops.cumsum(ops.cast(ops.ones_like(there[..., 0]), "int32"), axis=1)
    index = ops.minimum(counted - 1, positions - 1)
    return layers.Add()([vectors, layers.Embedding(positions, width, name="positions")(index)]), there


@component
def encoder(x: Any, *, heads: Count, expansion: Count = 4, dropout: Rate = 0.1) -> Any:
    """Attention among the words, then two dense layers, each normalized first and added to what comes in.

    Raises:
        ValueError: If the heads don't divide the width.
    """
    vectors, there = x
    width = int(vectors.shape[-1])
    if width % heads:
        raise ValueError(f"{heads} heads don't divide a width of {width}.")
    y = layers.LayerNormalization(epsilon=1e-6)(vectors)
    to_words = ops.transpose(ops.cast(there, "bool"), (0, 2, 1))
    y = layers.MultiHeadAttention(heads, width // heads)(y, y, attention_mask=to_words)
    vectors = layers.Add()([vectors, layers.Dropout(dropout)(y) if dropout else y])
    y = layers.LayerNormalization(epsilon=1e-6)(vectors)
    y = layers.Dense(width * expansion, activation="gelu")(y)
    y = layers.Dense(width)(y)
    return layers.Add()([vectors, layers.Dropout(dropout)(y) if dropout else y]), there


@component
def normalized(x: Any) -> Any:
    """What a pre-norm encoder ends with."""
    vectors, there = x
    return layers.LayerNormalization(epsilon=1e-6)(vectors), there


@checked
def text_transformer(
    *,
    classes: Count = 2,
    vocabulary: Count = 20_000,
    longest: Count = 512,
    width: Count | Open = 128,
    heads: Count | Open = 4,
    blocks: Count = 2,
    dropout: Rate | Open = 0.1,
) -> Architecture:
    """Words and positions embedded, encoder blocks, the mean of the words.

    Args:
        classes: How many there are.
        vocabulary: Ids of words, 0 for padding among them.
        longest: Words in a text, at most.
        width: Of the vectors.
        heads: Of attention; they divide the width.
        blocks: How many.
        dropout: On every residual branch.
    """
    block = Part(encoder, heads=heads, dropout=dropout)
    return Architecture(
        stem=(Part(embedded, vocabulary=vocabulary, width=width), Part(positioned, positions=longest)),
        learner=(*(block for _ in range(blocks)), Part(normalized)),
        tasks=Part(classifier, classes=classes, pool=Part(mean_of_words)),
    )


@checked
def text_transformer_space(*, classes: Count = 2, vocabulary: Count = 20_000) -> Architecture:
    """Width, depth and heads."""
    block = Part(encoder, heads=Choice((2, 4, 8)), expansion=Choice((2, 4)), dropout=Between(0.0, 0.4))
    return Architecture(
        stem=(
            Part(embedded, vocabulary=vocabulary, width=Choice((32, 64, 128, 256))),
            Part(positioned, positions=512),
        ),
        learner=(Choice(tuple((block,) * depth for depth in (1, 2, 3, 4))), Part(normalized)),
        tasks=Part(classifier, classes=classes, pool=Part(mean_of_words), dropout=Between(0.0, 0.5)),
    )
