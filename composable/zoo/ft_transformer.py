"""FT-Transformer: every column a token, and columns attend to columns.

Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", arXiv:2106.11959, section 3.3 and
figures 1 and 2. What the paper leaves to others, missing and unknown values, is a learned vector per column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from keras import initializers, layers, ops
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
from composable.design.tables import columns
from composable.design.tasks import regressor


@component
def tokens(x: Mapping[str, Any], *, width: Count) -> Any:
    """One token per column, shape (rows, 1 + columns, width); the first is the token that is read in the end.

    A number's token is the number times a vector, plus a vector. Hashed texts are one token together.
    """
    found = []
    if "numbers" in x:
        vectors = _per_column("number_vectors", x["numbers"], width, bias=False)
        found.append(vectors + _per_column("missing_vectors", x["missing"], width))
    if "categories" in x:
        found.append(x["categories"] + _per_column("unknown_vectors", x["unknown"], width))
    if "texts" in x:
        text = layers.Dense(width, name="text_vector")(x["texts"])
        found.append(ops.expand_dims(text, 1))
    zeros = ops.cast(ops.zeros_like(found[0][:, :1, 0]), "int32")
    first = layers.Embedding(1, width, embeddings_initializer=_initial(width), name="first_token")(zeros)
    return layers.Concatenate(axis=1)([first, *found])


@component
def attention(x: Any, *, heads: Count, dropout: Rate = 0.2, normalized: bool = True) -> Any:
    """Attention among the tokens, normalized first, added.

    Raises:
        ValueError: If the heads don't divide the width.
    """
    width = int(x.shape[-1])
    if width % heads:
        raise ValueError(f"{heads} heads don't divide a width of {width}.")
    y = layers.LayerNormalization(epsilon=1e-5)(x) if normalized else x
    y = layers.MultiHeadAttention(heads, width // heads, dropout=dropout)(y, y)
    return layers.Add()([x, y])


@component
def feed_forward(x: Any, *, expansion: Annotated[float, Field(gt=0)] = 4 / 3, dropout: Rate = 0.1) -> Any:
    """Dense layers with ReGLU between them, normalized first, added."""
    width = int(x.shape[-1])
    hidden = max(1, int(width * expansion))
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    halves: Any = ops.split(layers.Dense(2 * hidden)(y), 2, axis=-1)
    y = layers.Multiply()([halves[0], layers.ReLU()(halves[1])])
    y = layers.Dropout(dropout)(y) if dropout else y
    return layers.Add()([x, layers.Dense(width)(y)])


@component
def first_token(x: Any) -> Any:
    """The token that has gathered what the others say, normalized, with ReLU."""
    return layers.ReLU()(layers.LayerNormalization(epsilon=1e-5)(x[:, 0]))


@checked
def ft_transformer(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    width: Count = 192,
    blocks: Count = 3,
    heads: Count | Open = 8,
    attention_dropout: Rate | Open = 0.2,
    dropout: Rate | Open = 0.1,
) -> Architecture:
    """Feature tokens, Transformer blocks, the first token read; by default the paper's default.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        width: Of a token.
        blocks: How many; the very first normalization is left out, as the paper found better.
        heads: Of attention; they divide the width.
        attention_dropout: Of who looks at whom.
        dropout: Within the dense layers.
    """
    attending = Part(attention, heads=heads, dropout=attention_dropout)
    block = (attending, Part(feed_forward, dropout=dropout))
    return _on_tokens(
        categories, width, ((attending.replace(normalized=False), block[1]), *(block,) * (blocks - 1)), tasks
    )


@checked
def ft_transformer_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Width, depth, heads and dropouts, the same in every block."""
    attending = Part(
        attention, heads=Choice((4, 8), name="heads"), dropout=Between(0.0, 0.5, name="attention_dropout")
    )
    feeding = Part(
        feed_forward,
        expansion=Between(2 / 3, 8 / 3, name="expansion"),
        dropout=Between(0.0, 0.5, name="dropout"),
    )
    first = (attending.replace(normalized=False), feeding)
    depths = tuple((first, *((attending, feeding),) * more) for more in range(4))
    return _on_tokens(categories, Choice((64, 128, 192, 256), name="width"), Choice(depths), tasks)


def _on_tokens(
    categories: tuple[int, ...], width: Any, learner: Any, tasks: tuple[Part | Task, ...]
) -> Architecture:
    return Architecture(
        prestem=Part(columns, categories=categories, width=width),
        stem=Part(tokens, width=width),
        learner=learner,
        tasks=Part(regressor, pool=Part(first_token)),
    ).with_tasks(*tasks)


def _per_column(name: str, values: Any, width: int, *, bias: bool = True) -> Any:
    """Every column's value times a vector of its own, and perhaps another one added."""
    return layers.EinsumDense(
        "bc,cd->bcd",
        (values.shape[-1], width),
        bias_axes="cd" if bias else None,
        kernel_initializer=_initial(width),
        bias_initializer=_initial(width),
        name=name,
    )(values)


def _initial(width: int) -> Any:
    return initializers.RandomUniform(-(width**-0.5), width**-0.5)
