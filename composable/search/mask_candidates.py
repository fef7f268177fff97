"""The networks worth trying where every pixel has a class: a U-Net as wide as the time allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from composable.design import Architecture, Part
from composable.design.building import outline
from composable.design.cost import cost
from composable.design.inputs import Input
from composable.design.prestems import select_input, standardize
from composable.engine.augmentations import flip, light, translate, turn
from composable.engine.optimizer import Optimizer
from composable.engine.schedules import polynomial
from composable.engine.settings import Settings
from composable.search.image_candidates import speed
from composable.search.table import Pixels, Table
from composable.training.candidate import Candidate
from composable.zoo.unet import normalized_convolutions, unet

WIDTHS = (8, 12, 16, 24, 32, 48, 64)  # channels at full size; Ronneberger et al. have 64
_UNTIMED = 16  # channels, where there is no time limit
_SMALLEST = 6  # a side of the maps at the bottom, about
_MOST_LEVELS = 5  # as published
_MOMENTUM = 0.8  # of the moving averages: there are few steps
_COMPILED = 10.0  # seconds before the first step, about
_SEEN, _WANTED = 6_000, 12  # images in all, or epochs, that a network should be able to take in its time
_TRAINING = 3  # multiply-adds forward and back, for each of those forward
_EFFICIENCY = 0.4  # of a training, beside the product of two matrices
_LONGEST = 40_000  # images in all, after which little is learned from the same ones


def mask_candidates(table: Table, pixels: Pixels, seconds: float) -> Iterator[Candidate]:
    """A U-Net, as wide as `seconds` allow.

    Args:
        table: Says the tasks, the number of rows and the augmentations.
        pixels: Of the images.
        seconds: For all candidates together.
    """
    width = _affordable(table, pixels, 0.8 * seconds)
    width = width if math.isfinite(seconds) else min(width, _UNTIMED)
    yield Candidate("unet", sized_unet(table, pixels, width=width), _settings(table), 0.9)


def sized_unet(table: Table, pixels: Pixels, *, width: int) -> Architecture:
    """A padded, batch-normalized U-Net for images of whatever size.

    Args:
        table: Says the tasks.
        pixels: Of the images.
        width: Channels at full size, doubled from level to level.
    """
    side = min(pixels.height, pixels.width)
    levels = int(np.clip(1 + np.log2(max(side, 1) / _SMALLEST), 2, _MOST_LEVELS))
    found = unet(
        filters=tuple(width * 2**level for level in range(levels)),
        padding="same",
        block=Part(normalized_convolutions, momentum=_MOMENTUM),
        dropout=0.0,
    )
    prestem = (Part(select_input), Part(standardize, mean=pixels.mean, deviation=pixels.deviation))
    return replace(found, prestem=prestem, tasks=table.tasks)


def moving(pixels: Pixels) -> Sequence[Part]:
    """What is done to images and their masks: a class that is moved, turned or lit otherwise stays itself."""
    most = max(1, round(min(pixels.height, pixels.width) / 16))
    return (Part(flip), Part(translate, most=most), Part(turn, angle=10.0, zoom=0.1), Part(light))


def _settings(table: Table) -> Settings:
    batch = 32 if table.rows >= 2_000 else 16 if table.rows >= 200 else 8
    return Settings(
        optimizer=Optimizer(clip=1.0),
        learning_rate=5e-3,
        learning_rate_schedule=Part(polynomial),
        weight_decay=1e-2,
        augment=tuple(table.augment),
        batch_size=batch,
        epochs=int(np.clip(_LONGEST / max(table.rows, 1), 20, 300)),
        patience=None,
    )


def _affordable(table: Table, pixels: Pixels, seconds: float) -> int:
    """The largest width whose training sees as many images as it should in so many seconds."""
    shapes = {"images": Input((pixels.height, pixels.width, len(pixels.mean)), "uint8")}
    seen = max(_WANTED * table.rows, _SEEN)
    for width in reversed(WIDTHS):
        model, _ = outline(sized_unet(table, pixels, width=width), shapes)
        found = cost(model)
        work = 2 * _TRAINING * found.multiply_adds * seen
        if (
            found.parameters <= table.most_weights
            and work <= max(0.0, seconds - _COMPILED) * _EFFICIENCY * speed()
        ):
            return width
    return WIDTHS[0]
