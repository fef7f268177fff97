"""The networks worth trying where every pixel has a class: a U-Net as wide as the time allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from composable.core.machine import operations_per_second
from composable.design import Architecture, Part
from composable.design.prestems import select_input, standardize
from composable.engine.augmentations import flip, light, translate, turn
from composable.engine.optimizer import Optimizer
from composable.engine.schedules import polynomial
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.modality.image.designs import cost_of, images_of
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


def candidates(facts: DataFacts, _seed: int, seconds: float) -> Iterator[Candidate]:
    """A U-Net, as wide as `seconds` allow.

    Args:
        facts: Says the tasks, the number of rows and the augmentations.
        seconds: For all candidates together.
    """
    width = _affordable(facts, 0.8 * seconds)
    width = width if math.isfinite(seconds) else min(width, _UNTIMED)
    yield Candidate("unet", sized_unet(facts, width=width), _settings(facts), 0.9)


def sized_unet(facts: DataFacts, *, width: int) -> Architecture:
    """A padded, batch-normalized U-Net for images of whatever size.

    Args:
        facts: Says the tasks.
        width: Channels at full size, doubled from level to level.
    """
    images = images_of(facts)
    side = min(images.sides)
    levels = int(np.clip(1 + np.log2(max(side, 1) / _SMALLEST), 2, _MOST_LEVELS))
    found = unet(
        filters=tuple(width * 2**level for level in range(levels)),
        padding="same",
        block=Part(normalized_convolutions, momentum=_MOMENTUM),
        dropout=0.0,
    )
    prestem = (Part(select_input), Part(standardize, mean=images.mean, deviation=images.deviation))
    return replace(found, prestem=prestem, tasks=facts.tasks)


def moving(facts: DataFacts) -> Sequence[Part]:
    """What is done to images and their masks: a class that is moved, turned or lit otherwise stays itself."""
    most = max(1, round(min(images_of(facts).sides) / 16))
    return (Part(flip), Part(translate, most=most), Part(turn, angle=10.0, zoom=0.1), Part(light))


def _settings(facts: DataFacts) -> Settings:
    batch = 32 if facts.rows >= 2_000 else 16 if facts.rows >= 200 else 8
    return Settings(
        optimizer=Optimizer(clip=1.0),
        learning_rate=5e-3,
        learning_rate_schedule=Part(polynomial),
        weight_decay=1e-2,
        augment=facts.augmentation.parts,
        batch_size=batch,
        epochs=int(np.clip(_LONGEST / max(facts.rows, 1), 20, 300)),
        patience=None,
    )


def _affordable(facts: DataFacts, seconds: float) -> int:
    """The largest width whose training sees as many images as it should in so many seconds."""
    seen = max(_WANTED * facts.rows, _SEEN)
    for width in reversed(WIDTHS):
        found = cost_of(sized_unet(facts, width=width), facts)
        work = 2 * _TRAINING * found.multiply_adds * seen
        if (
            found.parameters <= facts.most_weights
            and work <= max(0.0, seconds - _COMPILED) * _EFFICIENCY * operations_per_second()
        ):
            return width
    return WIDTHS[0]
