"""The rows that the networks of folds learn from and predict, as the engine takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from composable.data.split import Fold
from composable.engine.rows import Rows
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing
from composable.training.candidate import Material


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
