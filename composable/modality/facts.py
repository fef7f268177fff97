"""What is known of the rows before anything is tried: the problem, and the sizes that follow from it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from composable.data.encoding import Encoding
from composable.data.split import Split
from composable.data.texts import WIDTH as LATENT
from composable.design import Part, Task
from composable.design.tables import EMBEDDED, ONE_HOT_LIMIT
from composable.problem.kinds import kind_of
from composable.problem.problem import Problem
from composable.training.candidate import Material

_ENOUGH = 2000  # rows for means and deviations
_WIDE, _VERY_WIDE = 100, 1000  # numbers; beyond these, bins, embeddings and layers are kept small


@dataclass(frozen=True)
class Signal:
    """An input whose rows are arrays of several axes, the last one of channels: images, for example.

    Attributes:
        shape: The shape of one row.
        mean: The mean of each channel over training rows.
        deviation: The standard deviation of each channel; 1 where it is constant.
        columns: How many columns of the data lie side by side along the channels.
    """

    shape: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    columns: int = 1

    @classmethod
    def of(cls, values: np.ndarray, rows: np.ndarray, columns: int = 1) -> Signal:
        """Measure an input, (rows, ..., channels), on some of these rows."""
        some = values[rows[:: max(1, len(rows) // _ENOUGH)]].astype("float32")
        axes = tuple(range(some.ndim - 1))
        deviation = some.std(axis=axes)
        return cls(
            some.shape[1:],
            tuple(float(m) for m in some.mean(axis=axes)),
            tuple(float(d) for d in np.where(deviation > 0, deviation, 1.0)),
            columns,
        )

    @property
    def sides(self) -> tuple[int, ...]:
        """The shape without the channels: height and width of an image."""
        return self.shape[:-1]


@dataclass(frozen=True)
class Augmentation:
    """What may be done to rows while a network learns from them.

    Attributes:
        parts: What changes single rows without changing what they are.
        chosen: Whether that is the user's choice.
        mixup: As in `Settings`.
        cutmix: As in `Settings`.
    """

    parts: tuple[Part, ...] = ()
    chosen: bool = False
    mixup: float = 0.0
    cutmix: float = 0.0


@dataclass(frozen=True)
class DataFacts:
    """What decides what is tried, and how large it is.

    Attributes:
        problem: One task per head.
        rows: The number of rows to learn from.
        widths: The width of each input that is one vector per row.
        categories: The number of codes of each category column.
        vocabularies: The number of ids of each input of ids.
        signals: The inputs that are arrays of several axes.
        augmentation: What may be done to rows.
        most_weights: That a network may have.
        known: The number of rows that some fold learns from or watches.
    """

    problem: Problem
    rows: int
    widths: Mapping[str, int]
    categories: tuple[int, ...]
    vocabularies: Mapping[str, int] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    augmentation: Augmentation = Augmentation()
    most_weights: float = math.inf
    known: int = 0

    @property
    def inputs(self) -> frozenset[str]:
        """The names of all inputs of the model."""
        return frozenset(self.widths) | frozenset(self.signals)

    @property
    def kept(self) -> int:
        """How many rows a network that keeps them has room for: it may learn from those of all folds."""
        return max(self.rows, self.known)

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
        return self.features(ONE_HOT_LIMIT)

    def features(self, one_hot_limit: int) -> int:
        """How many they are where columns of so many codes are one-hot."""
        short = sum(size - 1 for size in self.categories if size <= one_hot_limit)
        long = EMBEDDED * sum(size > one_hot_limit for size in self.categories)
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


def facts_of(material: Material, split: Split, encoding: Encoding) -> DataFacts:
    """What is known of encoded rows.

    Args:
        material: The rows.
        split: Says which rows are learned from; means and deviations are those of the first fold's.
        encoding: Says how many columns lie in each input.
    """
    rows, columns = split.folds[0].train, Counter(slot.name for slot, _ in encoding.slots)
    known = np.zeros(len(material.targets[0]), bool)
    for fold in split.folds:
        known[fold.train] = known[fold.held_out] = True
    return DataFacts(
        problem=material.problem,
        rows=len(rows),
        widths=material.widths,
        categories=material.categories,
        vocabularies=material.vocabularies,
        signals={
            name: Signal.of(values, rows, columns[name])
            for name, values in material.inputs.items()
            if values.ndim > 2
        },
        known=int(known.sum()),
    )
