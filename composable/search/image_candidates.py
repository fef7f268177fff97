"""The networks worth trying on images: as large as the time allows, the surest first."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count

import numpy as np

from composable.core.seeds import derive
from composable.design import Architecture, Choice, Part
from composable.design.building import outline
from composable.design.cost import Cost, cost
from composable.design.inputs import Input
from composable.design.learners import groups
from composable.design.prestems import select_input, several_images, standardize, table_with_images
from composable.design.tasks import pooled
from composable.design.whitening import whitened
from composable.engine.augmentations import cutout, flip
from composable.engine.randaugment import randaugment
from composable.engine.settings import Settings
from composable.search.designed import for_images
from composable.search.table import Pixels, Table
from composable.training import recipes
from composable.training.candidate import Candidate
from composable.training.progressive import Small
from composable.zoo.fast_cifar import convolutions, seen
from composable.zoo.mlp import mlp
from composable.zoo.mobilenet_v2 import STRIDES, mobilenet_v2
from composable.zoo.resnet_cifar import resnet_cifar

WIDTHS = (16, 24, 32, 40, 48, 64, 96, 128)  # channels of the first group
_LEAST_SEEN = 100_000  # images in all, that a network should be able to learn from in its time
_FEWEST, _MOST = 12, 100  # epochs for that, however many images there are, or few
_UNTIMED = 32  # channels, where there is no time limit
_THINNER = (0.5, 0.35, 0.2, 0.1)  # times the published widths of MobileNet
_SMALL = 64  # pixels of a side
_SMALLEST = 3  # a side of the last feature maps, which are pooled to one
_TRAINING = 3  # multiply-adds forward and back, for each of those forward
_EFFICIENCY = 0.7  # of a training, beside the product of two matrices
_LONG = 1200.0  # seconds, from which on others are worth trying beside the first
_ALONE, _AMONG_OTHERS = 0.95, 0.4  # of the time that is left, for one candidate
_TWICE = 600.0  # seconds, from which on two networks are worth more than one that learns for longer
_MANY, _OFTEN = 20_000, 40  # so many images aren't worth moving unless each is seen so often
_COVERED = 12  # epochs from which on covering a part of them is worth more than seeing all of it
_RATES = (0.5, 2.0)  # times the usual rate, between which draws are made


def image_candidates(table: Table, pixels: Pixels, *, seed: int, seconds: float) -> Iterator[Candidate]:
    """First the fast CIFAR network, as wide as `seconds` allow; on long times others, then draws without end.

    Args:
        table: Says the tasks and the number of rows.
        pixels: Of the images.
        seed: Of the draws.
        seconds: For all candidates together.
    """
    alone = seconds < _LONG
    share = (_ALONE / 2 if seconds >= _TWICE else _ALONE) if alone else _AMONG_OTHERS
    width = _affordable(table, pixels, share * seconds)
    width = width if math.isfinite(seconds) else min(width, _UNTIMED)
    epochs = _epochs(table, pixels, width, share * seconds)
    if table.rows >= _MANY and epochs < _OFTEN and not table.chosen:
        flips = tuple(one for one in table.augment if one.component is flip)
        table = replace(table, augment=flips if epochs < _COVERED else (*flips, Part(cutout)))
    yield Candidate("fast_cnn", fast_cnn(table, pixels, width=width), _settings(table), share)
    if math.isfinite(table.most_weights):
        yield _mobilenet(table, pixels, share)
    if alone:
        return  # what is left is better spent on other folds of the first
    slim = max(WIDTHS[0], width * 2 // 3)
    deep = fast_cnn(table, pixels, width=slim, depth=3)
    yield Candidate("fast_cnn_deep", deep, _settings(_also(table, (Part(cutout),))), share)
    yield Candidate("resnet", for_images(resnet_cifar(), table, pixels), _usual(table), share)
    if math.isinf(table.most_weights):
        yield _mobilenet(table, pixels, share)
    yield from _draws(table, pixels, seed, (slim, width))


def _mobilenet(table: Table, pixels: Pixels, share: float) -> Candidate:
    """MobileNet 2 with as few strides as small images can take, as wide as its weights may be many."""
    strides = (1, 1, 2, 2, 1, 2, 1) if max(pixels.height, pixels.width) <= _SMALL else STRIDES
    designs = [for_images(mobilenet_v2(alpha=alpha, strides=strides), table, pixels) for alpha in _THINNER]
    few = (one for one in designs if _cost(one, pixels).parameters <= table.most_weights)
    return Candidate("mobilenet", next(few, designs[-1]), _usual(table), share)


def _draws(table: Table, pixels: Pixels, seed: int, widths: tuple[int, int]) -> Iterator[Candidate]:
    """The fast CIFAR network drawn at random: depth, width, rate, which images are seen and how."""
    space = {
        "depth": Choice((2, 3)),
        "width": Choice(widths),
        "further": Choice(((), (Part(cutout),), (Part(randaugment),))),
        "hardest_share": Choice((1.0, 0.6)),
        "small": Choice((0.0, 0.4)),
        "mixing": Choice(({"mixup": 0.0, "cutmix": 0.0}, {"mixup": 0.2}, {"cutmix": 1.0})),
    }
    for number in count(1):
        rng = np.random.default_rng(derive(seed, "image_draw", number))
        drawn = {name: opening.draw(rng) for name, opening in space.items()}
        settings = _settings(_also(table, drawn["further"]))
        factor = float(np.exp(rng.uniform(*np.log(_RATES))))
        rate = factor * settings.learning_rate
        settings = replace(settings, learning_rate=rate, hardest_share=drawn["hardest_share"])
        if not table.chosen:
            settings = replace(settings, **drawn["mixing"])
        design = fast_cnn(table, pixels, width=drawn["width"], depth=drawn["depth"])
        small = Small(drawn["small"]) if drawn["small"] else None
        yield Candidate(f"fast_cnn_{number}", design, settings, _AMONG_OTHERS, small=small)


def _also(table: Table, further: Sequence[Part]) -> Table:
    """The table whose images are altered so as well, unless a user chose what is done to them."""
    known = {one.component for one in table.augment}
    new = () if table.chosen else tuple(one for one in further if one.component not in known)
    return replace(table, augment=(*table.augment, *new))


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
        prestem=(Part(select_input), Part(standardize, mean=pixels.mean, deviation=pixels.deviation)),
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


def mixed_candidate(table: Table, pixels: Pixels, *, seconds: float) -> Candidate:
    """The fast CIFAR network, as wide as `seconds` allow, beside the features of a table.

    Where rows hold several images, it looks at each, and at how they differ.
    """
    channels = len(pixels.mean) // pixels.images
    one = replace(pixels, mean=pixels.mean[:channels], deviation=pixels.deviation[:channels], images=1)
    timed = math.isfinite(seconds)
    width = _affordable(table, one, _ALONE * seconds / pixels.images) if timed else _UNTIMED
    look = Part(seen, mean=one.mean, deviation=one.deviation, filters=_filters(one, width), depth=2)
    if pixels.images > 1:
        look = Part(several_images, count=pixels.images, images=look)
    usual = mlp(
        tasks=table.tasks,
        categories=table.categories,
        units=min(256, table.most_units),
        bins=table.bins,
        width=table.width,
    )
    prestem = Part(table_with_images, table=usual.prestem if table.widths else None, images=look)
    return Candidate("mixed", replace(usual, prestem=prestem), _settings(table), _ALONE)


def _usual(table: Table) -> Settings:
    return _mixing(table, recipes.images(table.problem, rows=table.rows, augment=table.augment))


def _settings(table: Table) -> Settings:
    return _mixing(table, recipes.fast_cifar(table.problem, rows=table.rows, augment=table.augment))


def _mixing(table: Table, settings: Settings) -> Settings:
    return replace(settings, mixup=table.mixup, cutmix=table.cutmix)


def _filters(pixels: Pixels, width: int) -> tuple[int, ...]:
    """Channels per group, with so many halvings that the images' sides come to 3 or so."""
    halvings = max(2, int(np.log2(max(pixels.height, pixels.width, 12) / _SMALLEST)))
    return (width, *(2 * width for _ in range(halvings - 1)))


def _affordable(table: Table, pixels: Pixels, seconds: float) -> int:
    """The largest width that takes enough epochs in so many seconds, and doesn't have too many weights."""
    enough = float(np.clip(_LEAST_SEEN / table.rows, _FEWEST, _MOST))
    for width in reversed(WIDTHS):
        weights = _cost(fast_cnn(table, pixels, width=width), pixels).parameters
        if weights <= table.most_weights and _epochs(table, pixels, width, seconds) >= enough:
            return width
    return WIDTHS[0]


def _epochs(table: Table, pixels: Pixels, width: int, seconds: float) -> float:
    """How many epochs the fast CIFAR network will take in so many seconds, more or less."""
    work = 2 * _TRAINING * _cost(fast_cnn(table, pixels, width=width), pixels).multiply_adds * table.rows
    return seconds * _EFFICIENCY * speed() / work


def _cost(design: Architecture, pixels: Pixels) -> Cost:
    shapes = {"images": Input((pixels.height, pixels.width, len(pixels.mean)), "uint8")}
    return cost(outline(design, shapes)[0])


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
