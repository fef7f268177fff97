"""Masks as targets: which rows have one, which problem they pose, the class number of each pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from composable.core.errors import ConfigError, DataError
from composable.core.machine import cores
from composable.core.threads import in_threads
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.images.column import cells_of, wrong_rows
from composable.data.images.pixels import LEVELS, ImageShape
from composable.data.images.source import MOST_BROKEN, ImageSource, images_of
from composable.data.kinds.image import ImageBlock
from composable.data.names import listed
from composable.data.schema import Column, Notice, Schema
from composable.data.table import Table
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


Notify = Callable[[Notice], None]


@dataclass(frozen=True, eq=False)
class Masks:
    """What is known of the masks of a table.

    Attributes:
        kept: Which rows have a complete one, as large as its image.
        counts: (kept rows, 256) how many pixels of each have each level.
    """

    kept: np.ndarray
    counts: np.ndarray

    def among(self, rows: np.ndarray) -> np.ndarray:
        """The counts of those of the kept rows that this mask over all rows keeps too."""
        return self.counts[rows[self.kept]]


def asks_for_masks(schema: Schema) -> bool:
    """Whether the target is a column of masks."""
    return any(column.kind == "image" for column in schema.targets)


def images_alone(schema: Schema, notify: Notify) -> Schema:
    """The schema in which masks are made of one column of images alone.

    Raises:
        ConfigError: If there are other targets than the masks.
        DataError: If there is no column of images.
    """
    if len(schema.targets) > 1:
        raise ConfigError(
            "Masks are predicted alone.",
            received=f"targets {listed([column.name for column in schema.targets])}",
            remedy="fit a model for each of them",
        )
    images = [column.name for column in schema.features if column.kind == "image"]
    if not images:
        raise DataError(
            "Masks are predicted from images.",
            received="no column names images beside the masks",
            remedy="bring a column with the paths of the images",
        )
    others = [column.name for column in schema.features if column.name != images[0]]
    if not others:
        return schema
    notify(Notice(f"Masks are predicted from {images[0]!r} alone; left out: {listed(others, 20)}."))
    return Schema(tuple(_dropped(c) if c.name in others else c for c in schema.columns))


def find_masks(table: Table, schema: Schema, notify: Notify) -> Masks:
    """Look at every mask; a few that are missing, broken or of another size than their images are left out.

    Raises:
        DataError: If it is more than a few.
    """
    (target,), (image,) = schema.targets, [c for c in schema.features if c.kind == "image"]
    if target.name not in table.sources:
        raise DataError(
            f"The cells of {target.name!r} must name masks.",
            received="no image was found by the names in it",
            remedy="write paths relative to the table's folder, or paths from the root",
        )
    masks, images = (images_of(table.sources)[column.name] for column in (target, image))
    names, pictured = (cells_of(column_of(table.frame, c.name)) for c in (target, image))
    wrong = {row: _no_mask(why, pictured[row]) for row, why in masks.missing(names).items()}
    unseen = images.missing(pictured)
    there = [row for row in range(len(names)) if row not in wrong and row not in unseen]
    counts: dict[int, np.ndarray] = {}
    for row, found in zip(there, level_counts(masks, [names[row] for row in there]), strict=True):
        size = images.size(pictured[row])
        if isinstance(found, str):
            wrong[row] = found
        elif masks.size(names[row]) != size:
            wrong[row] = f"{_by(masks.size(names[row]))} pixels, its image {pictured[row]} {_by(size)}"
        else:
            counts[row] = found
    _check(names, wrong, table.origin, notify)
    kept = np.zeros(len(names), bool)
    kept[list(counts)] = True
    return Masks(kept, np.array([counts[row] for row in sorted(counts)]).reshape(kept.sum(), -1))


def painted(counts: np.ndarray) -> np.ndarray:
    """The share of each mask that isn't of the commonest level, (masks, 1): by it rows are dealt out."""
    common = counts.sum(axis=0).argmax()
    return (1.0 - counts[:, common] / counts.sum(axis=1))[:, None]


def masks_as_targets(table: Table, head: Head, encoding: Encoding) -> np.ndarray:
    """The class of every pixel at the size of the model's images, (rows, height, width) of int16.

    Args:
        table: The rows, with their masks.
        head: The head of the masks.
        encoding: Sets how large the model's images are.

    Raises:
        DataError: If a mask is missing or broken, or has a level that is no class.
    """
    (target,), image = head.targets, encoding.of(ImageBlock)[0]
    names, source = cells_of(column_of(table.frame, target)), images_of(table.sources).get(target)
    missing = {0: "no mask was found"} if source is None else source.missing(names)
    if source is None or missing:
        raise DataError(
            f"Every cell of {target!r} must name a mask.",
            received=f"{table.origin}: {wrong_rows(names, missing)}",
            remedy="correct those rows, or leave them out",
        )
    return encode_masks(source, names, head, ImageShape(*image.shape))


def _check(names: list[str], wrong: dict[int, str], origin: str, notify: Notify) -> None:
    if not wrong:
        return
    wrong = dict(sorted(wrong.items()))
    if len(wrong) > MOST_BROKEN * len(names):
        raise DataError(
            f"At most {MOST_BROKEN:.0%} of the images may have no whole mask of their own size.",
            received=f"{origin}: {len(wrong)} of {len(names)}: {wrong_rows(names, wrong)}",
            remedy="bring or repair those masks: levels from 0 to 255 as PNG, as large as their images",
        )
    rows = wrong_rows(names, wrong)
    text = f"{len(wrong)} images have no whole mask of their own size and are left out: {rows}."
    notify(Notice(text, "warning", remedy="bring or repair those masks"))


def _no_mask(why: str, image: str) -> str:
    return f"no mask of {image}" if why == "empty" else why


def _by(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"


def _dropped(column: Column) -> Column:
    return replace(column, role="drop", reason="masks are predicted from images alone")
