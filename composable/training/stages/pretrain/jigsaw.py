"""Images cut into tiles that are laid out in another order; the target is which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import permutations
from typing import Annotated, Any, Literal

import numpy as np
from keras import layers
from pydantic import Field

from composable.core.errors import ConfigError
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.training.stages.pretrain.images import Images, images_of
from composable.training.stages.pretrain.pretext import Arrays, Pretext, Unlabeled, attached, corrupted


@cache
def apart(length: int, count: int) -> np.ndarray:
    """Permutations of 0 to `length` - 1, the identity first, each next one as far as can be from the others.

    The distance is Hamming's: in how many positions two differ. Noroozi & Favaro 2016, "Unsupervised Learning
    of Visual Representations by Solving Jigsaw Puzzles", algorithm 1, with the smallest distance as the
    criterion, and the mean distance, which they take, between equals: so no two are nearly the same.

    Args:
        length: At most 9: all permutations are looked at.
        count: How many.

    Returns:
        (count, length), int64; not to be written to.

    Raises:
        ConfigError: If there aren't so many.
    """
    if not 1 <= count <= math.factorial(length):
        raise ConfigError(
            "There are only so many permutations.",
            received=f"{count} of {length} tiles, which have {math.factorial(length)}",
        )
    every = np.array(list(permutations(range(length))), "uint8")
    chosen = [0]
    nearest, total = np.full(len(every), length + 1), np.zeros(len(every), "int64")
    while len(chosen) < count:
        distance = (every != every[chosen[-1]]).sum(axis=1)
        nearest, total = np.minimum(nearest, distance), total + distance
        chosen.append(int(np.argmax(nearest * (length * count + 1) + total)))
    found = every[chosen].astype("int64")
    found.flags.writeable = False
    return found


Gap = Annotated[int, Field(ge=0)]


@component
def jigsaw(
    x: Unlabeled,
    *,
    tiles: Literal[4, 9] = 9,
    permutations: Annotated[Count, Field(le=1000)] = 24,
    gap: Gap = 1,
    reads: str = "embedding",
) -> Pretext:
    """Each image's tiles in an order of its own; the target is which of the known orders it is.

    Noroozi & Favaro 2016, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", on the
    mosaic as one image, as Carlucci et al. 2019 have it ("Domain Generalization by Solving Jigsaw Puzzles").

    Args:
        x: The rows.
        tiles: 4, two by two, or 9, three by three.
        permutations: How many orders there are; of 4 tiles 24 at most.
        gap: Pixels between neighboring tiles: lines that go on beyond an edge would give the answer away.
        reads: The tap from which the order is predicted.

    Raises:
        ConfigError: If the images are too small for such tiles, or there aren't so many orders.
    """
    images, orders = images_of(x), apart(tiles, permutations)
    across = math.isqrt(tiles)
    _check(images, across, gap)
    background = images.from_unit(images.mean.mean(axis=(0, 1)))

    def corrupt(clean: Arrays, rng: np.random.Generator) -> tuple[Arrays, tuple[np.ndarray, ...]]:
        pixels = clean[images.name]
        which = rng.integers(len(orders), size=len(pixels))
        shown = mosaic(pixels, orders[which], gap=gap, background=background, rng=rng)
        return {**clean, images.name: shown}, (which[:, None].astype("int32"),)

    copies = corrupted(x, corrupt)
    answers = copies.rows.targets[0][:, 0]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return float(np.mean(outputs[0].argmax(axis=-1) == answers[numbers]))

    return Pretext(
        attach=lambda network: attached(network, reads, lambda x: classes_head(x, len(orders))),
        goals=(Goal(categorical_cross_entropy, categorical_cross_entropy),),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="accuracy",
        chance=1.0 / len(orders),
        score=score,
    )


def classes_head(x: Any, classes: int) -> Any:
    """The logits of classes that exclude each other, from a vector or from feature maps."""
    x = layers.Flatten()(x) if len(x.shape) > 2 else x
    return layers.Dense(classes)(x)


def mosaic(
    pixels: np.ndarray, orders: np.ndarray, *, gap: int, background: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Images of the same size whose position k holds the tile that was at `orders[:, k]`.

    Positions are counted row by row. Where the tiles don't divide the sides, what is left over at the edges,
    and the gaps too, are background; a tile loses `gap` pixels, at random from its two ends.

    Args:
        pixels: (rows, height, width, channels).
        orders: (rows, tiles) permutations.
        gap: Pixels.
        background: (channels,).
        rng: Of what a tile loses.
    """
    rows, height, width, channels = pixels.shape
    across = math.isqrt(orders.shape[1])
    tall, wide = height // across, width // across
    top, left = (height - tall * across) // 2, (width - wide * across) // 2
    inner = (slice(None), slice(top, top + tall * across), slice(left, left + wide * across))
    cut = pixels[inner].reshape(rows, across, tall, across, wide, channels)
    cut = cut.transpose(0, 1, 3, 2, 4, 5).reshape(rows, across**2, tall, wide, channels)
    laid = np.broadcast_to(background.astype(pixels.dtype), cut.shape).copy()
    first = gap // 2
    laid[:, :, first : first + tall - gap, first : first + wide - gap] = _windows(cut, orders, gap, rng)
    laid = laid.reshape(rows, across, across, tall, wide, channels).transpose(0, 1, 3, 2, 4, 5)
    shown = np.broadcast_to(background.astype(pixels.dtype), pixels.shape).copy()
    shown[inner] = laid.reshape(rows, tall * across, wide * across, channels)
    return shown


def _windows(cut: np.ndarray, orders: np.ndarray, gap: int, rng: np.random.Generator) -> np.ndarray:
    """The tiles in their new order, each without `gap` of its rows and columns."""
    rows, tiles, tall, wide, _ = cut.shape
    starts = rng.integers(gap + 1, size=(2, rows, tiles, 1))
    vertical = (starts[0] + np.arange(tall - gap))[..., :, None]
    horizontal = (starts[1] + np.arange(wide - gap))[..., None, :]
    of_row, of_tile = np.arange(rows)[:, None, None, None], orders[:, :, None, None]
    return cut[of_row, of_tile, vertical, horizontal]


def _check(images: Images, across: int, gap: int) -> None:
    height, width, _ = images.shape
    if min(height, width) // across < gap + 2:
        raise ConfigError(
            "A tile shows at least two by two pixels.",
            received=f"images of {height}x{width} pixels, {across * across} tiles, gap={gap}",
            remedy="take fewer tiles, or a smaller gap",
        )
