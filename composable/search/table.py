"""What is known of a table before any network is tried: the problem and the sizes that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from composable.data.text.latent import WIDTH as LATENT
from composable.design import Part, Task
from composable.design.tables import EMBEDDED, ONE_HOT_LIMIT
from composable.problem.kinds import answers_pixels, kind_of
from composable.problem.problem import Problem

_ENOUGH = 2000  # images tell means and deviations
_WIDE, _VERY_WIDE = 100, 1000  # numbers; beyond these, bins, embeddings and layers are kept small


@dataclass(frozen=True)
class Pixels:
    """What is known of the images.

    Attributes:
        height: Of each.
        width: Of each.
        mean: Of each channel, over training images.
        deviation: The standard deviation of each channel; 1 where there is none.
        images: In each row, their channels one behind the other.
    """

    height: int
    width: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    images: int = 1

    @classmethod
    def of(cls, images: np.ndarray, rows: np.ndarray, count: int = 1) -> Pixels:
        """Of these rows of (rows, height, width, channels), each of which holds `count` images."""
        some = images[rows[:: max(1, len(rows) // _ENOUGH)]].astype("float32")
        deviation = some.std(axis=(0, 1, 2))
        height, width = some.shape[1:3]
        return cls(
            height,
            width,
            tuple(float(m) for m in some.mean(axis=(0, 1, 2))),
            tuple(float(d) for d in np.where(deviation > 0, deviation, 1.0)),
            count,
        )


@dataclass(frozen=True)
class Table:
    """What decides about sizes.

    Attributes:
        problem: One task per head.
        rows: The number of rows to learn from.
        widths: Of the model's inputs.
        categories: The number of codes of each category column.
        vocabularies: The number of ids of each input of texts.
        pixels: Of the images, where there are any.
        augment: What may be done to them without changing what they are.
        chosen: Whether that is a user's choice.
        mixup: As in `Settings`.
        cutmix: As in `Settings`.
        most_weights: That a network may have.
        known: The number of rows that some fold learns from or watches.
    """

    problem: Problem
    rows: int
    widths: Mapping[str, int]
    categories: tuple[int, ...]
    vocabularies: Mapping[str, int] = field(default_factory=dict)
    pixels: Pixels | None = None
    augment: tuple[Part, ...] = ()
    chosen: bool = False
    mixup: float = 0.0
    cutmix: float = 0.0
    most_weights: float = math.inf
    known: int = 0

    @property
    def kept(self) -> int:
        """How many rows a network that keeps them has room for: it may learn from those of all folds."""
        return max(self.rows, self.known)

    @property
    def texts_alone(self) -> bool:
        """Whether there is nothing else to learn from."""
        return set(self.widths) <= set(self.vocabularies)

    @property
    def masks(self) -> bool:
        """Whether every pixel is asked about."""
        return answers_pixels(self.problem)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """One per head."""
        return tuple(Task(kind_of(head).task(head), f"head_{n}") for n, head in enumerate(self.problem.heads))

    @property
    def batch_size(self) -> int:
        """More steps per epoch where there are few rows."""
        return 32 if self.rows <= 1500 else 128 if self.rows <= 4000 else 256

    @property
    def numbers(self) -> int:
        """How many numbers are cut into bins and embedded."""
        return self.widths.get("numbers", 0) + 7 * self.widths.get("dates", 0)

    @property
    def plain(self) -> int:
        """How many clean features `composable.design.tables.prepare` makes."""
        short = sum(size - 1 for size in self.categories if size <= ONE_HOT_LIMIT)
        long = EMBEDDED * sum(size > ONE_HOT_LIMIT for size in self.categories)
        return 2 * self.numbers + short + long + (LATENT if "ngrams" in self.widths else 0)

    @property
    def bins(self) -> int:
        """Bins per number: few where there are many numbers, or they would be most of the work."""
        return 48 if self.numbers <= _WIDE else 16 if self.numbers <= _VERY_WIDE else 4

    @property
    def width(self) -> int:
        """The length of a number's embedding; see `bins`."""
        return 8 if self.numbers <= _WIDE else 4 if self.numbers <= _VERY_WIDE else 1

    @property
    def most_units(self) -> int:
        """Of the first layer, whose size is the features times the units."""
        return 512 if self.numbers <= _VERY_WIDE else 64
