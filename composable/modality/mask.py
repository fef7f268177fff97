"""Masks: images in which every pixel has a class.

Worth trying is a U-Net as wide as the time allows. What it has to beat is a class for every pixel from its
color, its surroundings and its place alone.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from composable.core.errors import ConfigError
from composable.core.machine import operations_per_second
from composable.core.seeds import derive
from composable.data.kinds.image import IMAGES
from composable.design import Architecture, Part, component
from composable.design.stems import select_input, standardize
from composable.engine.augmentations import flip, light, translate, turn
from composable.engine.optimizer import Optimizer
from composable.engine.schedules import polynomial
from composable.engine.settings import Settings
from composable.explain.image_errors import mask_errors
from composable.modality.facts import Augmentation, DataFacts
from composable.modality.image import IMAGE
from composable.modality.image.augmentations import augmented_as
from composable.modality.image.portfolio import cost_of, images_of
from composable.modality.modality import Notify
from composable.training.baseline import BaselineProblem
from composable.training.candidate import Arrays, Baseline, Candidate, Material
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

_PIXELS = 30_000  # to learn from
_LEARNED, _SOLVED = 200, 2.0  # images, seconds
_BLURS = (1.0, 4.0)  # pixels


def candidates(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """A U-Net, as wide as `seconds` allow.

    Args:
        facts: Says the tasks, the number of rows and the augmentations.
        seconds: For all candidates together.
    """
    width = _affordable(facts, 0.8 * seconds)
    width = width if math.isfinite(seconds) else min(width, _UNTIMED)
    yield Candidate("unet", _sized_unet(facts, width=width), _settings(facts), 0.9)


def _sized_unet(facts: DataFacts, *, width: int) -> Architecture:
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


def _moving(facts: DataFacts) -> Sequence[Part]:
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
        found = cost_of(_sized_unet(facts, width=width), facts)
        work = 2 * _TRAINING * found.multiply_adds * seen
        if (
            found.parameters <= facts.most_weights
            and work <= max(0.0, seconds - _COMPILED) * _EFFICIENCY * operations_per_second()
        ):
            return width
    return WIDTHS[0]


def logistic_on_pixels(images: np.ndarray, masks: np.ndarray, query: np.ndarray, *, seed: int) -> np.ndarray:
    """Logistic regression on `described` pixels.

    Args:
        images: (rows, height, width, channels) of uint8.
        masks: (rows, height, width) the classes' numbers.
        query: Other images, of the same size.
        seed: Of the pixels that are learned from.

    Returns:
        (query, height, width, classes) probabilities of the classes up to the highest in `masks`.
    """
    rng = np.random.default_rng(seed)
    each = max(1, _PIXELS // len(images))
    size = images.shape[1] * images.shape[2]
    learned, classes = [], []
    for image, mask in zip(images, masks, strict=True):
        chosen = rng.integers(0, size, each)
        learned.append(described(image)[chosen])
        classes.append(mask.ravel()[chosen])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what hasn't converged by then has still found something
        model.fit(np.concatenate(learned), np.concatenate(classes).astype(int))
    found = np.zeros((*query.shape[:3], int(masks.max()) + 1), "float32")
    for row, image in enumerate(query):
        probabilities = model.predict_proba(described(image))
        found[row][..., model.classes_.astype(int)] = probabilities.reshape(*image.shape[:2], -1)
    return found


def described(image: np.ndarray) -> np.ndarray:
    """(height * width, features): colors, those of the surroundings, how they vary, the place.

    Args:
        image: (height, width, channels) of uint8.
    """
    colors = image.astype("float32") / 255.0
    around = [gaussian_filter(colors, (blur, blur, 0)) for blur in _BLURS]
    varied = gaussian_filter((colors - around[-1]) ** 2, (_BLURS[-1], _BLURS[-1], 0))
    down, right = np.meshgrid(*(np.linspace(-1, 1, side) for side in image.shape[:2]), indexing="ij")
    place = np.stack([down, right, down**2, right**2, down * right], axis=-1)
    features = [colors, colors**2, *around, varied, place.astype("float32")]
    return np.concatenate(features, axis=-1).reshape(image.shape[0] * image.shape[1], -1)


@component
def predict(problem: BaselineProblem) -> Arrays:
    """Learn from some of the masks of a fold and predict others."""
    material, seed = problem.material, problem.seed
    (head,), (masks,) = material.problem.heads, material.targets
    some = np.random.default_rng(derive(seed, "baseline", "rows")).permutation(problem.train)[:_LEARNED]
    images = material.inputs[IMAGES][some]
    shares = logistic_on_pixels(images, masks[some], problem.query[IMAGES], seed=derive(seed, "baseline"))
    return [np.pad(shares, [(0, 0)] * 3 + [(0, head.width - shares.shape[-1])])]


@component
def seconds(problem: BaselineProblem) -> float:
    """How long one fold will take, estimated by describing an image."""
    began = time.monotonic()
    described(problem.material.inputs[IMAGES][problem.train[0]])
    each = time.monotonic() - began
    return _SOLVED + each * (_LEARNED + 2 * problem.query_rows)


def augment(
    facts: DataFacts,
    _material: Material,
    _train: np.ndarray,
    names: Sequence[str],
    _seed: int,
    _notify: Notify,
) -> DataFacts:
    """As the user asks by names; else what moves images and their masks together."""
    return (
        augmented_as(facts, names)
        if names
        else replace(facts, augmentation=Augmentation(tuple(_moving(facts))))
    )


def check_design(model: Any, name: str, facts: DataFacts) -> None:
    """Refuse a design that doesn't give a class to every pixel.

    Raises:
        ConfigError: If its maps aren't as large as the images.
    """
    maps = tuple(keras.tree.flatten(model.output)[0].shape[1:-1])
    sides = images_of(facts).sides
    if maps != sides:
        raise ConfigError(
            "Masks are learned by a design that answers for every pixel.",
            received=f"{name} makes maps of {maps} from images of {sides}",
            remedy="a padded U-Net: --design unet_same",
        )


LOGISTIC_ON_PIXELS = Baseline("logistic_on_pixels", Part(seconds), Part(predict), first=True)
MASK = replace(
    IMAGE,
    name="mask",
    candidates=candidates,
    space=lambda _facts: (),
    baseline=LOGISTIC_ON_PIXELS,
    beside=lambda _facts, _seconds: (),
    augment=augment,
    worst_errors={"pictures.json": mask_errors},
    check_design=check_design,
    targets=frozenset({"mask"}),
)
