"""The rows that networks of folds learn from and predict, as the engine takes them, held or fed in chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from composable.data.split import Fold
from composable.engine.cohort import Instance
from composable.engine.feed.chunk import ArraysFeed
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing
from composable.training.candidate import Arrays, Material


@dataclass(frozen=True, eq=False)
class FoldRows:
    """The rows of a material by what they are to a fold."""

    material: Material

    def query_rows(self, fold: Fold) -> np.ndarray:
        """The rows that a fold's network predicts."""
        return np.concatenate([fold.held_out, fold.test, self.own])

    def query_inputs(self, fold: Fold) -> dict[str, np.ndarray]:
        """The inputs of the rows in `query_rows`."""
        own = self.material.own_test or {}
        found = self.material.at(np.concatenate([fold.held_out, fold.test]))
        return {
            name: np.concatenate([values, own[name]]) if own else values for name, values in found.items()
        }

    def apart(self, fold: Fold, outputs: Sequence[np.ndarray]) -> tuple[Arrays, Arrays, Arrays]:
        """Outputs for the query rows, per head, apart: for held-out rows, test rows, the user's own rows."""
        ends = np.cumsum([len(fold.held_out), len(fold.test)])
        held_out, test, own = (
            list(part) for part in zip(*(np.split(head, ends) for head in outputs), strict=True)
        )
        return held_out, test if len(fold.test) else [], own if len(self.own) else []

    def postprocessing(self, fold: Fold) -> tuple[PostProcessing, ...]:
        """What turns logits into answers, per head, by the training rows' targets."""
        heads = zip(self.material.problem.heads, self.material.targets, strict=True)
        return tuple(kind_of(head).fit_postprocessing(y[fold.train]) for head, y in heads)

    def targets(self, fold: Fold) -> tuple[np.ndarray, ...]:
        """The targets of all rows as one fold's loss wants them; the user's own test rows have none."""
        found, steps = [], self.postprocessing(fold)
        for head, step, y in zip(self.material.problem.heads, steps, self.material.targets, strict=True):
            wanted = kind_of(head).training_targets(step, y)
            unknown = np.zeros((len(self.own), *wanted.shape[1:]), wanted.dtype)
            found.append(np.concatenate([wanted, unknown]))
        return tuple(found)

    def all(self) -> Rows:
        """The material's rows, then those of the user's own test file: they are only predicted."""
        material, own = self.material, self.material.own_test
        inputs = dict(material.inputs)
        if own:
            inputs = {name: np.concatenate([values, own[name]]) for name, values in inputs.items()}
        weights = material.weights
        if own and weights is not None:
            weights = np.concatenate([weights, np.ones(len(self.own), weights.dtype)])
        return Rows(inputs, (), weights)

    @property
    def own(self) -> np.ndarray:
        """The numbers of the user's own test rows, which come after those of the table."""
        rows = len(self.material.targets[0])
        own = self.material.own_test
        return np.arange(rows, rows + (len(next(iter(own.values()))) if own else 0))


def is_mapped(inputs: Mapping[str, np.ndarray]) -> bool:
    """Whether some of the inputs lie in a file."""
    return any(isinstance(values, np.memmap) for values in inputs.values())


def mapped_feed(rows: Rows, part: Fold) -> ArraysFeed:
    """The training rows of a part, of which some inputs lie in a file."""
    return ArraysFeed(rows.inputs, rows.targets, rows.weights, among=part.train)


def watched(
    rows: Rows, part: Fold, query: Mapping[str, np.ndarray], seed: int, settings: Settings
) -> tuple[Rows, Instance]:
    """What a cohort of one takes that learns from a feed.

    Args:
        rows: All rows of the table.
        part: Which of them are which.
        query: The inputs of the query rows, those for validation first.
        seed: Of the instance.
        settings: Of its training.

    Returns:
        The query rows, and the instance, watched on those for validation.
    """
    count = len(next(iter(query.values())))
    targets = tuple(_filled(target[part.held_out], count) for target in rows.targets)
    weights = None if rows.weights is None else _filled(rows.weights[part.held_out], count)
    nothing = np.array([], "int32")
    instance = Instance(nothing, np.arange(len(part.held_out)), seed, settings)
    return Rows(query, targets, weights), instance


def _filled(values: np.ndarray, rows: int) -> np.ndarray:
    """Targets or weights, with zeros for the query rows that are not for validation."""
    return np.concatenate([values, np.zeros((rows - len(values), *values.shape[1:]), values.dtype)])
