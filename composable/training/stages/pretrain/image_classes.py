"""Images whose class is known without labels: in which order their tiles lie (jigsaw), which shape is drawn.

Drawn shapes are pre-training without data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import permutations
from typing import Annotated, Any, Literal

import numpy as np
from keras import layers
from pydantic import Field

from composable.core.errors import ConfigError, DataError
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.engine.rows import Rows
from composable.training.stages.pretrain.pretext import (
    Arrays,
    Images,
    Pretext,
    Unlabeled,
    attached,
    corrupted,
    images_of,
)


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
        attach=lambda network: attached(network, reads, lambda x: _classes_head(x, len(orders))),
        goals=(Goal(categorical_cross_entropy, categorical_cross_entropy),),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="accuracy",
        chance=1.0 / len(orders),
        score=score,
    )


def _classes_head(x: Any, classes: int) -> Any:
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


Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (u, v) -> at most 0 within, growing outwards


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    slanted = np.sqrt(0.75) * np.abs(u) - 0.5 * v
    return np.maximum(slanted, v) - 0.5


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.minimum(u, v) - 0.25, np.maximum(u, v) - 0.95)


SHAPES: Mapping[str, Shape] = {
    "disc": lambda u, v: np.hypot(u, v) - 0.8,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.7) - 0.2,
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) - 0.7,
    "frame": lambda u, v: np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.6) - 0.18,
    "triangle": _triangle,
    "cross": _cross,
    "bar": lambda u, v: np.maximum(np.abs(u) - 0.95, np.abs(v) - 0.25),
    "half": lambda u, v: np.maximum(np.hypot(u, v) - 0.9, v),
}


def drawn(classes: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """An image of each class: one shape of any size, position, turn and color, on a noisy ground of another.

    Args:
        classes: (rows,) indices into `SHAPES`.
        shape: Height, width, channels.
        rng: Of everything but the class.

    Returns:
        (rows, height, width, channels) pixels from 0 to 1, float32.
    """
    height, width, channels = shape
    rows, side = len(classes), min(height, width)
    size = rng.uniform(0.2, 0.45, (rows, 1, 1)) * side
    room = [np.maximum(length / 2 - size, 0.0) for length in (height, width)]
    center = [
        length / 2 + rng.uniform(-1, 1, (rows, 1, 1)) * free
        for length, free in zip((height, width), room, strict=True)
    ]
    down = (np.arange(height)[None, :, None] + 0.5 - center[0]) / size
    right = (np.arange(width)[None, None, :] + 0.5 - center[1]) / size
    turn = rng.uniform(0, 2 * np.pi, (rows, 1, 1))
    u, v = np.cos(turn) * right + np.sin(turn) * down, np.cos(turn) * down - np.sin(turn) * right
    edge = np.empty((rows, height, width))
    for number, boundary in enumerate(SHAPES.values()):
        one = classes == number
        edge[one] = boundary(u[one], v[one])
    coverage = np.clip(0.5 - edge * size, 0.0, 1.0)[..., None]  # edges are a pixel wide
    ground = rng.uniform(0, 1, (rows, 1, 1, channels))
    color = (ground + rng.uniform(0.3, 0.7, ground.shape)) % 1.0
    pixels = coverage * color + (1.0 - coverage) * ground + rng.normal(0.0, 0.05, (rows, *shape))
    return np.clip(pixels, 0.0, 1.0).astype("float32")


@component
def synthetic(
    x: Unlabeled, *, images: Count = 2000, watched: Count = 400, reads: str = "embedding"
) -> Pretext:
    """Which of eight shapes an image shows; of the user's images only size and range of pixels are taken.

    Args:
        x: The rows.
        images: How many are drawn to learn from.
        watched: How many are drawn to watch.
        reads: The tap from which the shape is predicted.

    Raises:
        DataError: If the network takes anything beside images.
    """
    if len(x.inputs) != 1:
        raise DataError(
            "Images are drawn for networks that take images alone.",
            received=f"inputs: {', '.join(x.inputs)}"[:200],
        )
    own, rng = images_of(x), np.random.default_rng(x.seed)
    classes = rng.integers(len(SHAPES), size=images + watched)
    pixels = own.from_unit(drawn(classes, own.shape, rng))

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return float(np.mean(outputs[0].argmax(axis=-1) == classes[numbers]))

    return Pretext(
        attach=lambda network: attached(network, reads, lambda x: _classes_head(x, len(SHAPES))),
        goals=(Goal(categorical_cross_entropy, categorical_cross_entropy),),
        rows=Rows({own.name: pixels}, (classes[:, None].astype("int32"),)),
        train=np.arange(images),
        held_out=np.arange(images, images + watched),
        epochs=x.epochs,
        figure="accuracy",
        chance=1.0 / len(SHAPES),
        score=score,
    )
