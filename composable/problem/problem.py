"""The problem: one head per question: numbers, classes, labels, or a class for every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from composable.data.schema import Notice

HeadKind = Literal["regression", "binary", "multiclass", "multilabel", "mask"]
Label = str | int | float | bool


@dataclass(frozen=True)
class Head:
    """One question that the model answers.

    Attributes:
        name: The target's name; for multi-label the names joined, shortened.
        kind: Regression, two classes, many classes, several labels at once, or a class for every pixel.
        targets: The column or, for multi-label, the columns it predicts.
        labels: The classes in the order of the probabilities, with their own types; `()` for a regression.
            For multi-label: the two values every target takes, the negative one first. For masks: levels.
        thresholds: For two classes and for several labels, per target: the probability from which the second
            class is predicted; `()` for a half.
    """

    name: str
    kind: HeadKind
    targets: tuple[str, ...]
    labels: tuple[Label, ...] = ()
    thresholds: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """The number of values the head gives per row, or per pixel: 1 for a number or two classes."""
        from composable.problem.kinds import kind_of  # the kinds are made of Keras, this record isn't

        return kind_of(self).width(self)

    def threshold(self, position: int) -> float:
        """The probability from which the second class of its target at `position` is predicted."""
        return self.thresholds[position] if self.thresholds else 0.5


@dataclass(frozen=True)
class Problem:
    """What is to be predicted from a table.

    Attributes:
        heads: One per question.
        metric: The name of the score that selects models, see `composable.problem.metrics`.
        notices: The choices made, each with the flag that overrules it.
    """

    heads: tuple[Head, ...]
    metric: str
    notices: tuple[Notice, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target column, in order."""
        return tuple(target for head in self.heads for target in head.targets)
