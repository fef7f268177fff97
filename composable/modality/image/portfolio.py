"""What is worth trying on images: networks as large as the time allows, the surest first.

Also how any design is fitted to the images at hand, how it is trained as usual, and what it costs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from composable.core.machine import operations_per_second
from composable.data.kinds.image import IMAGES
from composable.design import Architecture, Between, Choice, Part
from composable.design.building import outline
from composable.design.choice import Open
from composable.design.cost import Cost, cost
from composable.design.inputs import Input
from composable.design.learners import groups
from composable.design.stems import select_input, several_images, standardize, table_with_images
from composable.design.tasks import pooled
from composable.engine.augmentations import cutout, flip
from composable.engine.randaugment import randaugment
from composable.engine.settings import Settings
from composable.modality.designed import changed_parts
from composable.modality.facts import DataFacts, Signal
from composable.search.space import OpenCandidate
from composable.training import recipes
from composable.training.candidate import Candidate
from composable.zoo.fast_cifar import convolutions, seen, whitened
from composable.zoo.mlp import mlp
from composable.zoo.mobilenet import V2_STRIDES, mobilenet_v2
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
_RATES = (0.5, 2.0)  # times the usual rate, between which it is open


def candidates(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """First the fast CIFAR network, as wide as `seconds` allow; on long times others.

    Args:
        facts: Says the tasks and the number of rows.
        seconds: For all candidates together.
    """
    if images_of(facts).columns > 1:
        yield from beside(facts, seconds)
        return
    alone = seconds < _LONG
    share = (_ALONE / 2 if seconds >= _TWICE else _ALONE) if alone else _AMONG_OTHERS
    width = _affordable(facts, share * seconds)
    width = width if math.isfinite(seconds) else min(width, _UNTIMED)
    epochs = _epochs(facts, width, share * seconds)
    known = facts.augmentation
    if facts.rows >= _MANY and epochs < _OFTEN and not known.chosen:
        flips = tuple(one for one in known.parts if one.component is flip)
        parts = flips if epochs < _COVERED else (*flips, Part(cutout))
        facts = replace(facts, augmentation=replace(known, parts=parts))
    yield Candidate("fast_cnn", fast_cnn(facts, width=width), _settings(facts), share)
    if math.isfinite(facts.most_weights):
        yield _mobilenet(facts, share)
    if alone:
        return  # what is left is better spent on other folds of the first
    slim = max(WIDTHS[0], width * 2 // 3)
    deep = fast_cnn(facts, width=slim, depth=3)
    yield Candidate("fast_cnn_deep", deep, _settings(_also(facts, (Part(cutout),))), share)
    yield Candidate("resnet", fit_design(resnet_cifar(), facts), usual_settings(facts), share)
    if math.isinf(facts.most_weights):
        yield _mobilenet(facts, share)


def _mobilenet(facts: DataFacts, share: float) -> Candidate:
    """MobileNet 2 with as few strides as small images can take, as wide as its weights may be many."""
    strides = (1, 1, 2, 2, 1, 2, 1) if max(images_of(facts).sides) <= _SMALL else V2_STRIDES
    designs = [fit_design(mobilenet_v2(alpha=alpha, strides=strides), facts) for alpha in _THINNER]
    few = (one for one in designs if cost_of(one, facts).parameters <= facts.most_weights)
    return Candidate("mobilenet", next(few, designs[-1]), usual_settings(facts), share)


def space(facts: DataFacts) -> tuple[OpenCandidate, ...]:
    """What is open in the training of the fast CIFAR network: rate, which images are seen and how."""
    settings = _settings(facts)
    low, high = (factor * settings.learning_rate for factor in _RATES)
    found: dict[str, Open] = {
        "learning_rate": Between(low, high, log=True),
        "hardest_share": Choice((1.0, 0.6)),
        "small": Choice((0.0, 0.4)),
    }
    if not facts.augmentation.chosen:
        seen = [
            _also(facts, further).augmentation.parts
            for further in ((), (Part(cutout),), (Part(randaugment),))
        ]
        found |= {"augment": Choice(tuple(dict.fromkeys(seen))), "mixup": Choice((0.0, 0.2))}
        found["cutmix"] = Choice((0.0, 1.0))
    return (
        OpenCandidate(Candidate("fast_cnn", fast_cnn(facts, width=_UNTIMED), settings, _AMONG_OTHERS), found),
    )


def _also(facts: DataFacts, further: Sequence[Part]) -> DataFacts:
    """The facts with images altered so as well, unless the user chose what is done to them."""
    known = facts.augmentation
    components = {one.component for one in known.parts}
    new = () if known.chosen else tuple(one for one in further if one.component not in components)
    return replace(facts, augmentation=replace(known, parts=(*known.parts, *new)))


def fast_cnn(facts: DataFacts, *, width: int, depth: int = 2) -> Architecture:
    """The fast CIFAR network, for images of whatever size.

    Args:
        facts: Says the tasks.
        width: Channels of the first group; the others have twice as many.
        depth: Convolutions per group.
    """
    images = images_of(facts)
    filters = _filters(images, width)
    return Architecture(
        prestem=(Part(select_input), Part(standardize, mean=images.mean, deviation=images.deviation)),
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
        tasks=facts.tasks,
    )


def beside(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """The fast CIFAR network, as wide as `seconds` allow, beside the features of a facts.

    Where rows hold several images, it looks at each, and at how they differ.
    """
    images = images_of(facts)
    channels = images.shape[-1] // images.columns
    one = Signal((*images.sides, channels), images.mean[:channels], images.deviation[:channels])
    of_one = replace(facts, signals={**facts.signals, IMAGES: one})
    timed = math.isfinite(seconds)
    width = _affordable(of_one, _ALONE * seconds / images.columns) if timed else _UNTIMED
    look = Part(seen, mean=one.mean, deviation=one.deviation, filters=_filters(one, width), depth=2)
    if images.columns > 1:
        look = Part(several_images, count=images.columns, images=look)
    usual = mlp(
        tasks=facts.tasks,
        categories=facts.categories,
        units=min(256, facts.most_units),
        bins=facts.bins,
        width=facts.width,
    )
    prestem = Part(table_with_images, table=usual.prestem if facts.widths else None, images=look)
    yield Candidate("mixed", replace(usual, prestem=prestem), _settings(facts), _ALONE)


def _settings(facts: DataFacts) -> Settings:
    return mixing(facts, recipes.fast_cifar(facts.problem, rows=facts.rows, augment=facts.augmentation.parts))


def _filters(images: Signal, width: int) -> tuple[int, ...]:
    """Channels per group, with so many halvings that the images' sides come to 3 or so."""
    halvings = max(2, int(np.log2(max(*images.sides, 12) / _SMALLEST)))
    return (width, *(2 * width for _ in range(halvings - 1)))


def _affordable(facts: DataFacts, seconds: float) -> int:
    """The largest width that takes enough epochs in so many seconds, and doesn't have too many weights."""
    enough = float(np.clip(_LEAST_SEEN / facts.rows, _FEWEST, _MOST))
    for width in reversed(WIDTHS):
        weights = cost_of(fast_cnn(facts, width=width), facts).parameters
        if weights <= facts.most_weights and _epochs(facts, width, seconds) >= enough:
            return width
    return WIDTHS[0]


def _epochs(facts: DataFacts, width: int, seconds: float) -> float:
    """How many epochs the fast CIFAR network will take in so many seconds, more or less."""
    work = 2 * _TRAINING * cost_of(fast_cnn(facts, width=width), facts).multiply_adds * facts.rows
    return seconds * _EFFICIENCY * operations_per_second() / work


def images_of(facts: DataFacts) -> Signal:
    """What is known of the images."""
    return facts.signals[IMAGES]


def fit_design(design: Architecture, facts: DataFacts) -> Architecture:
    """The design with the tasks of these rows; where it standardizes, by the colors of these images."""
    images = images_of(facts)

    def standardized(part: Part) -> Part:
        if part.component is not standardize:
            return part
        return part.replace(mean=images.mean, deviation=images.deviation)

    prestem = (Part(select_input), changed_parts(design.prestem, standardized))
    return replace(design, prestem=prestem).with_tasks(*facts.tasks)


def usual_settings(facts: DataFacts) -> Settings:
    """How any network of images is trained."""
    return mixing(facts, recipes.images(facts.problem, rows=facts.rows, augment=facts.augmentation.parts))


def mixing(facts: DataFacts, settings: Settings) -> Settings:
    """The settings with rows mixed as the augmentation says."""
    return replace(settings, mixup=facts.augmentation.mixup, cutmix=facts.augmentation.cutmix)


def cost_of(design: Architecture, facts: DataFacts) -> Cost:
    """What a network of these images costs."""
    return cost(outline(design, {IMAGES: Input(images_of(facts).shape, "uint8")})[0])
