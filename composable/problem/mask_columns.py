"""Masks as targets of a fit: which rows have a complete one, and which problem they pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from composable.core.errors import ConfigError, DataError
from composable.data.encoding import Encoding
from composable.data.frames import column_of
from composable.data.images.column import cells_of, wrong_rows
from composable.data.images.conversion import ImageShape
from composable.data.images.files import MOST_BROKEN
from composable.data.images.source import images_of
from composable.data.kinds.image import ImageBlock
from composable.data.names import listed
from composable.data.schema import Column, Notice, Schema
from composable.data.table import Table
from composable.problem.masks import encode_masks, level_counts
from composable.problem.problem import Head

Tell = Callable[[Notice], None]


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


def images_alone(schema: Schema, tell: Tell) -> Schema:
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
    tell(Notice(f"Masks are predicted from {images[0]!r} alone; left out: {listed(others, 20)}."))
    return Schema(tuple(_dropped(c) if c.name in others else c for c in schema.columns))


def find_masks(table: Table, schema: Schema, tell: Tell) -> Masks:
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
    _check(names, wrong, table.origin, tell)
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


def _check(names: list[str], wrong: dict[int, str], origin: str, tell: Tell) -> None:
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
    tell(Notice(text, "warning", remedy="bring or repair those masks"))


def _no_mask(why: str, image: str) -> str:
    return f"no mask of {image}" if why == "empty" else why


def _by(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"


def _dropped(column: Column) -> Column:
    return replace(column, role="drop", reason="masks are predicted from images alone")
