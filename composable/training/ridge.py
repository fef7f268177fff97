"""Ridge regression on the features of a network in which nothing else is learned."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from composable.design.fitting import fit_to_rows
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.design.tables import adapt
from composable.design.taps import before_layers
from composable.engine.history import Epoch
from composable.engine.predict import predict
from composable.problem.problem import Head
from composable.training.closed_form import (
    ClosedFormProblem,
    Solution,
    as_scores,
    factor_of,
    loss_of,
    rows_of_scores,
    scores_name,
    with_layers,
)

_LEAST = 1e-6  # of a feature's standard deviation; below, it is the same in all rows
_TINY = 1e-12  # of an inverse's diagonal
_BATCH = (128,)  # rows whose features are computed at once


@dataclass(frozen=True, eq=False)
class System:
    """Standardized features of the training rows, as the eigenvectors of their products.

    With K = Z Z' = U diag(s) U', a ridge regression with penalty p leaves y - y' = p (K + p)^-1 y, and every
    row left out would be missed by [(K + p)^-1 y]_i / [(K + p)^-1]_ii: Rifkin & Lippert 2007, "Notes on
    Regularized Least Squares", section 4. Where rows are weighted, so are rows of Z and y, by the root.

    Attributes:
        mean: Of each feature.
        deviation: Of each feature, infinite where the feature is constant.
        roots: Of the rows' weights, whose mean is 1.
        features: Z, (rows, features).
    """

    mean: np.ndarray
    deviation: np.ndarray
    roots: np.ndarray
    features: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, weights: np.ndarray) -> System:
        """Of features (rows, features) as a network gives them, and a weight per row."""
        mean = np.average(features, axis=0, weights=weights).astype("float32")
        centered = features - mean
        deviation = np.sqrt(np.average(centered**2, axis=0, weights=weights)).astype("float32")
        deviation = np.where(deviation > _LEAST, deviation, np.inf).astype("float32")
        roots = np.sqrt(weights / weights.mean()).astype("float32")
        return cls(mean, deviation, roots, centered / deviation * roots[:, None])

    @cached_property
    def _eigen(self) -> tuple[np.ndarray, np.ndarray]:
        products = (self.features @ self.features.T).astype("float64")
        constant = self.roots / np.linalg.norm(self.roots)
        for _ in range(2):  # rows, then columns: what rounding left of the mean would count as a feature
            products = (products - np.outer(constant, constant @ products)).T
        values, vectors = np.linalg.eigh(products)
        return np.maximum(values, 0.0), vectors

    @property
    def usual(self) -> float:
        """The mean product of a row with itself, to which penalties are relative."""
        return max(float(self._eigen[0].mean()), 1e-12)

    def solve(self, wanted: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights of standardized features, biases, and scores of each row if it were left out.

        Args:
            wanted: (rows, scores).
            penalty: Relative to `usual`.
        """
        values, vectors = self._eigen
        added = penalty * self.usual
        shares = 1.0 / (values + added)
        bias = np.average(wanted, axis=0, weights=self.roots**2)
        rest = (wanted - bias) * self.roots[:, None]
        dual = vectors @ (shares[:, None] * (vectors.T @ rest))
        # The bias isn't penalized: its direction, which the products leave out, is taken off the inverse.
        diagonal = vectors**2 @ shares - self.roots**2 / (added * (self.roots**2).sum())
        left_out = wanted - dual / (np.maximum(diagonal, _TINY) * self.roots)[:, None]
        return self.features.T @ dual, bias, left_out


@dataclass(frozen=True, eq=False)
class _Fit:
    """Scores of features as a network gives them: `features @ weights + bias`.

    Attributes:
        head: Whose scores they are; of classes they are logits.
        weights: (features, scores).
        bias: (scores,).
        left_out: The scores of each training row by a fit to the others; NaN where it has no target.
        observed: The targets of the training rows.
    """

    head: Head
    weights: np.ndarray
    bias: np.ndarray
    left_out: np.ndarray
    observed: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(rows, scores)."""
        return features @ self.weights + self.bias

    def loss(self, metric: str) -> float:
        """On the rows that are left out."""
        return loss_of(self.head, metric, self.left_out, self.observed)


_Systems = list[tuple[np.ndarray, np.ndarray, System]]  # numbers of scores, of the rows that have them; those


def _systems(head: Head, features: np.ndarray, y: np.ndarray, weights: np.ndarray) -> _Systems:
    groups = rows_of_scores(as_scores(head, y))
    return [(scores, rows, System.of(features[rows], weights[rows])) for scores, rows in groups]


def _fit(head: Head, systems: _Systems, y: np.ndarray, penalty: float) -> _Fit:
    wanted = as_scores(head, y)
    weights = np.empty((len(systems[0][2].mean), wanted.shape[1]), "float32")
    bias, left_out = np.empty(wanted.shape[1]), np.full(wanted.shape, np.nan)
    for scores, rows, system in systems:
        own, offset, left_out[np.ix_(rows, scores)] = system.solve(wanted[np.ix_(rows, scores)], penalty)
        weights[:, scores] = own / system.deviation[:, None]
        bias[scores] = offset - system.mean @ weights[:, scores]
    factor = factor_of(head, left_out, y) if head.labels else 1.0
    return _Fit(head, factor * weights, factor * bias, factor * left_out, y)


@component
def ridge(
    problem: ClosedFormProblem,
    *,
    rows: Count = 4000,
    categories: tuple[int, ...] = (),
    penalties: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
) -> Solution:
    """Fit the dense layers that give the scores in closed form, the rest of the network as it begins.

    Hoerl & Kennard 1970, "Ridge Regression: Biased Estimation for Nonorthogonal Problems" (Technometrics 12).
    Classes are numbers, 1 and -1, whose scores become logits by a factor fitted to the scores that each row
    would get if it alone were left out. By the loss of those rows the penalty is chosen, for classes as for
    numbers.

    Args:
        problem: The network and the rows. Its features are fitted to rows at most (`fit_to_rows`).
        rows: To learn from; of more, some are drawn.
        categories: The number of codes of each category column.
        penalties: To try, relative to the mean square of a row's features.

    Returns:
        The solution whose loss on the rows that are left out is lowest.
    """
    began = time.monotonic()
    model = problem.fresh()
    adapt(model, problem.learned.inputs, categories=categories)
    fit_to_rows(model, problem.learned.inputs, seed=problem.seed)
    some = np.random.default_rng(problem.seed).permutation(len(problem.learned.targets[0]))[:rows]
    weights = np.ones(len(some)) if problem.learned.weights is None else problem.learned.weights[some]
    names = [scores_name(model, index) for index in range(len(problem.heads))]
    probe = before_layers(model, names)
    learned = predict(probe, {name: x[some] for name, x in problem.learned.inputs.items()}, sizes=_BATCH)
    held_out = predict(probe, problem.held_out.inputs, sizes=_BATCH)
    weights, targets = np.maximum(weights, _LEAST), [y[some] for y in problem.learned.targets]
    each = zip(problem.heads, learned, targets, strict=True)
    systems = [_systems(head, features, y, weights) for head, features, y in each]

    def fits(penalty: float) -> list[_Fit]:
        each = zip(problem.heads, systems, targets, strict=True)
        return [_fit(head, system, y, penalty) for head, system, y in each]

    if problem.chosen is not None:
        penalties = (problem.chosen["penalty"],)
    metric, tried, losses = problem.metric, [], []
    for number, penalty in enumerate(penalties):
        found = fits(penalty)
        losses.append(sum(fit.loss(metric) for fit in found))
        others = zip(found, held_out, problem.held_out.targets, strict=True)
        outside = sum(loss_of(fit.head, metric, fit(features), y) for fit, features, y in others)
        now = time.monotonic()
        tried.append(Epoch(number, losses[-1], outside, now - began))
        began = now
        if problem.deadline.remaining <= 0:
            break
    best = int(np.argmin(losses))
    values = {name: [fit.weights, fit.bias] for name, fit in zip(names, fits(penalties[best]), strict=True)}
    chosen = {"penalty": penalties[best]}
    return Solution(with_layers(model, values), tuple(tried), best, chosen, by_held_out=False)
