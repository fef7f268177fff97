"""Drawn images whose class is known: pre-training without data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from composable.core.errors import DataError
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.objective import Goal, categorical_cross_entropy
from composable.engine.rows import Rows
from composable.training.stages.pretrain.images import images_of
from composable.training.stages.pretrain.jigsaw import classes_head
from composable.training.stages.pretrain.pretext import Pretext, Unlabeled, attached

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
        attach=lambda network: attached(network, reads, lambda x: classes_head(x, len(SHAPES))),
        goals=(Goal(categorical_cross_entropy, categorical_cross_entropy),),
        rows=Rows({own.name: pixels}, (classes[:, None].astype("int32"),)),
        train=np.arange(images),
        held_out=np.arange(images, images + watched),
        epochs=x.epochs,
        figure="accuracy",
        chance=1.0 / len(SHAPES),
        score=score,
    )
