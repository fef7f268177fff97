"""The networks worth trying on images: as large as the time allows, the surest first."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from composable.design import Architecture, Part
from composable.design.cost import cost
from composable.design.inputs import Input
from composable.design.learners import groups
from composable.design.mixed import beside_images
from composable.design.outline import outline
from composable.design.prestems import only, standardise
from composable.design.tasks import pooled
from composable.design.whitening import whitened
from composable.engine.settings import Settings
from composable.search.table import Pixels, Table
from composable.training import recipes
from composable.training.rotating import Candidate
from composable.zoo.fast_cifar import convolutions, seen
from composable.zoo.mlp import mlp

WIDTHS = (16, 24, 32, 48, 64, 96, 128)  # channels of the first group
WANTED = 12  # epochs that a network should be able to take in its time
_UNTIMED = 32  # channels, where there is no time limit
_SMALLEST = 3  # a side of the last feature maps, which are pooled to one
_TRAINING = 3  # multiply-adds forward and back, for each of those forward
_EFFICIENCY = 0.25  # of a training, beside the product of two matrices


def image_candidates(table: Table, pixels: Pixels, seconds: float) -> Iterator[Candidate]:
    """First the fast CIFAR network, as wide as `seconds` allow.

    Args:
        table: Says the tasks and the number of rows.
        pixels: Of the images.
        seconds: For all candidates together.
    """
    width = _affordable(table, pixels, 0.8 * seconds) if math.isfinite(seconds) else _UNTIMED
    yield Candidate("fast_cnn", fast_cnn(table, pixels, width=width), _settings(table), 0.9)


def fast_cnn(table: Table, pixels: Pixels, *, width: int, depth: int = 2) -> Architecture:
    """The fast CIFAR network, for images of whatever size.

    Args:
        table: Says the tasks.
        pixels: Of the images.
        width: Channels of the first group; the others have twice as many.
        depth: Convolutions per group.
    """
    filters = _filters(pixels, width)
    return Architecture(
        prestem=(Part(only), Part(standardise, mean=pixels.mean, deviation=pixels.deviation)),
        stem=Part(whitened),
        learner=(
            *groups(
                Part(convolutions, depth=depth),
                filters=filters,
                blocks=(1,) * len(filters),
                strides=(2,) * len(filters),
            ),
            Part(pooled, kind="max"),
        ),
        tasks=table.tasks,
    )


def mixed_candidate(table: Table, pixels: Pixels) -> Candidate:
    """A small convolutional network beside the features of a table."""
    filters = _filters(pixels, WIDTHS[0])
    images = Part(seen, mean=pixels.mean, deviation=pixels.deviation, filters=filters)
    usual = mlp(
        tasks=table.tasks,
        categories=table.categories,
        units=min(256, table.most_units),
        bins=table.bins,
        width=table.width,
    )
    prestem = Part(beside_images, table=usual.prestem, images=images)
    return Candidate("mixed", replace(usual, prestem=prestem), _settings(table), 0.9)


def _settings(table: Table) -> Settings:
    return recipes.fast_cifar(table.problem, rows=table.rows, augment=table.augment)


def _filters(pixels: Pixels, width: int) -> tuple[int, ...]:
    """Channels per group, with so many halvings that the images' sides come to 3 or so."""
    halvings = max(2, int(np.log2(max(pixels.height, pixels.width, 12) / _SMALLEST)))
    return (width, *(2 * width for _ in range(halvings - 1)))


def _affordable(table: Table, pixels: Pixels, seconds: float) -> int:
    """The largest width whose training takes `WANTED` epochs in so many seconds."""
    shapes = {"images": Input((pixels.height, pixels.width, len(pixels.mean)), "uint8")}
    for width in reversed(WIDTHS):
        model, _ = outline(fast_cnn(table, pixels, width=width), shapes)
        work = 2 * _TRAINING * cost(model).multiply_adds * table.rows * WANTED
        if work <= seconds * _EFFICIENCY * speed():
            return width
    return WIDTHS[0]


@cache
def speed() -> float:
    """Multiplications and additions that this machine does in a second."""
    a = np.ones((1024, 1024), "float32")
    seconds = []
    for _ in range(4):
        began = time.monotonic()
        np.matmul(a, a)
        seconds.append(time.monotonic() - began)
    return 2 * len(a) ** 3 / min(seconds)
