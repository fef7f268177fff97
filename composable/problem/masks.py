"""Masks as targets: which classes their pixels have, and the class number of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PIL import Image

from composable.core.errors import ConfigError, DataError
from composable.core.machine import cores
from composable.core.threads import in_threads
from composable.data.images.conversion import ImageShape
from composable.data.images.levels import LEVELS
from composable.data.images.source import ImageSource
from composable.data.schema import Notice
from composable.problem.metrics import fitting
from composable.problem.problem import Head, Problem

_FEWEST = 10  # masks
_PIXELS = 50_000  # that are enough to see how probable answers are
_MANY = 50  # classes that nobody painted: more likely edges that were smoothed


def understand_masks(name: str, counts: np.ndarray, *, metric: str | None = None) -> Problem:
    """A head with a class per level that occurs.

    Args:
        name: The target column.
        counts: (masks, 256) how many pixels of each mask have each level.
        metric: Overrules the metric, which is the mean intersection over union.

    Raises:
        DataError: If there are too few masks, or all pixels are of one level.
        ConfigError: If the metric isn't one of masks.
    """
    if len(counts) < _FEWEST:
        raise DataError(
            f"At least {_FEWEST} images with masks are needed to train and to check a model.",
            received=f"{len(counts)}",
            remedy="bring more images",
        )
    pixels = counts.sum(axis=0)
    labels = tuple(int(level) for level in np.flatnonzero(pixels))
    if len(labels) < 2:
        raise DataError(
            "Masks must tell at least two classes apart.",
            received=f"{len(counts)} masks, all of the level {', '.join(map(str, labels))}",
            remedy="bring masks in which something is painted",
        )
    known = fitting("mask")
    if metric is not None and metric not in known:
        raise ConfigError(
            f"The metric {metric!r} doesn't fit masks.",
            received=f"target {name!r}",
            remedy=f"one of {', '.join(known)}",
        )
    return Problem(
        (Head(name, "mask", (name,), labels),),
        metric or known[0],
        tuple(_notices(name, labels, pixels / pixels.sum())),
    )


def _notices(name: str, labels: tuple[int, ...], shares: np.ndarray) -> list[Notice]:
    each = ", ".join(f"{level} ({shares[level]:.1%})" for level in labels[:12])
    more = f" and {len(labels) - 12} more" if len(labels) > 12 else ""
    found = [Notice(f"Masks of {len(labels)} classes, by their levels: {each}{more}.", column=name)]
    if len(labels) > _MANY:
        text = (
            f"{len(labels)} classes are many: masks that were smoothed or resized have levels of their own."
        )
        found.append(Notice(text, "warning", name, "save masks with the levels of the classes alone"))
    return found


def level_counts(source: ImageSource, names: Sequence[str]) -> list[np.ndarray | str]:
    """Of each mask how many pixels have each level, (256,), or what is wrong with it."""
    return list(in_threads(partial(_counts, source), names, workers=cores()))


def _counts(source: ImageSource, name: str) -> np.ndarray | str:
    try:
        return np.bincount(source.levels(name).ravel(), minlength=LEVELS)
    except DataError as broken:
        return broken.received


def encode_masks(source: ImageSource, names: Sequence[str], head: Head, shape: ImageShape) -> np.ndarray:
    """The class of every pixel, (masks, height, width) of int16, each mask resized to its nearest pixels.

    Raises:
        DataError: If a mask is missing or broken, or has a level that is no class.
    """
    found = np.empty((len(names), shape.height, shape.width), np.int16)
    codes = _codes(head)
    each = in_threads(partial(_resized, source, shape), names, workers=cores())
    for index, levels in enumerate(each):
        found[index] = coded(levels, codes, head, names[index])
    return found


def coded(levels: np.ndarray, codes: np.ndarray, head: Head, name: str) -> np.ndarray:
    """Class numbers instead of levels.

    Raises:
        DataError: If a level is no class; names the mask.
    """
    numbers = codes[levels]
    if (unknown := numbers < 0).any():
        raise DataError(
            f"A mask of {head.name!r} must hold the levels that the model knows.",
            received=f"{name}: level {int(levels[unknown][0])}",
            remedy=f"the levels are {', '.join(map(str, head.labels[:20]))}",
        )
    return numbers


def true_codes(source: ImageSource, name: str, head: Head) -> np.ndarray:
    """The class of every pixel of a mask at its own size, (height, width).

    Raises:
        DataError: As `encode_masks`.
    """
    return coded(source.levels(name), _codes(head), head, name)


def as_rows(head: Head, values: np.ndarray, observed: np.ndarray) -> tuple[Head, np.ndarray, np.ndarray]:
    """Pixels as rows of a problem of many classes, evenly spaced where they are very many.

    Args:
        head: Of masks.
        values: (masks, height, width, classes).
        observed: (masks, height, width).

    Returns:
        A head of classes, (pixels, classes) and (pixels, 1).
    """
    step = max(1, observed.size // _PIXELS)
    step += step % 2 == 0 and step > 1  # an even one would keep to some columns
    rows = values.reshape(-1, values.shape[-1])[::step], observed.reshape(-1, 1)[::step].astype(int)
    return Head(head.name, "multiclass", head.targets, head.labels), *rows


def _codes(head: Head) -> np.ndarray:
    codes = np.full(LEVELS, -1, np.int16)
    codes[np.array(head.labels, int)] = np.arange(len(head.labels))
    return codes


def _resized(source: ImageSource, shape: ImageShape, name: str) -> np.ndarray:
    levels = source.levels(name)
    if levels.shape == (shape.height, shape.width):
        return levels
    image = Image.fromarray(levels).resize((shape.width, shape.height), Image.Resampling.NEAREST)
    return np.asarray(image)
