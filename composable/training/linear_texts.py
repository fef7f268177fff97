"""A solver of linear models of texts: support vectors, or ridge regression, on tf-idf n-grams."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC, LinearSVR

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.history import Epoch
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.problem.scores import has_target
from composable.training.closed_form import (
    ClosedFormProblem,
    LabeledRows,
    Solution,
    factor_of,
    loss_of,
    scores_name,
    with_layers,
)

Sparse = Any  # sparse.csr_matrix, whose type stubs are incomplete
Incidences = list[Sparse]  # per id set an incidence matrix, (rows, ids): 1 where a row has the id


def incidence_matrices(
    inputs: Mapping[str, np.ndarray], id_sets: tuple[str, ...], sizes: tuple[int, ...]
) -> Incidences:
    """Of each id set a sparse matrix, (rows, ids): 1 where a row has the id."""
    found = []
    for name, size in zip(id_sets, sizes, strict=True):
        ids = inputs[name]
        there = ids > 0
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        found.append(sparse.csr_matrix((np.ones(ends[-1]), ids[there], ends), (len(ids), size)))
    return found


def idf(incidence: Sparse) -> np.ndarray:
    """The inverse document frequency of each id, 0 where none of the rows has it."""
    rows = np.asarray(incidence.sum(axis=0)).ravel()
    return np.where(rows > 0, np.log((1 + incidence.shape[0]) / (1 + rows)) + 1, 0.0)


def scaled(incidence: Sparse, values: np.ndarray) -> Sparse:
    """Rows of length one, or of nothing."""
    lengths = np.repeat(inverse_lengths(incidence @ values**2), np.diff(incidence.indptr))
    return sparse.csr_matrix(
        (values[incidence.indices] * lengths, incidence.indices, incidence.indptr), incidence.shape
    )


def inverse_lengths(squares: np.ndarray) -> np.ndarray:
    """One over the lengths of id sets, from the sums of their squared values; an empty set has one too."""
    return 1.0 / np.sqrt(np.maximum(squares, 1e-9))


_FEW, _FOLDS = 100, 5  # held-out rows below which the factor is found on folds of those learned from


@dataclass(frozen=True, eq=False)
class _Linear:
    """What one head's `text.weighted_id_sets` is to hold, per id set (ids, scores or 1)."""

    weights: list[np.ndarray]
    squares: list[np.ndarray]
    bias: np.ndarray

    def scores(self, incidence: Incidences) -> np.ndarray:
        """(rows, scores)."""
        found = np.tile(self.bias, (incidence[0].shape[0], 1))
        for each, weights, squares in zip(incidence, self.weights, self.squares, strict=True):
            found += (each @ weights) * inverse_lengths(each @ squares)
        return found

    def times(self, factor: float) -> _Linear:
        """The same with scores multiplied."""
        return replace(self, weights=[factor * each for each in self.weights], bias=factor * self.bias)


@component
def linear_texts(
    problem: ClosedFormProblem,
    *,
    id_sets: tuple[str, ...],
    sizes: tuple[Count, ...],
    naive_bayes: bool = False,
    costs: tuple[float, ...] = (0.3, 1.0, 3.0),
) -> Solution:
    """Fit the weights of `text.weighted_id_sets` in closed form, for each of several regularizations.

    An id's value is its inverse document frequency, and each id set is scaled to length one: tf-idf of what a
    text holds, however often. With `naive_bayes` the value is multiplied by the log ratio of the id's share
    among the rows of the class and among the others: Wang & Manning 2012, "Baselines and Bigrams: Simple,
    Good Sentiment and Topic Classification" (ACL 2012), section 2.3. Each class is told apart by
    a support vector machine with squared hinge loss (Fan et al. 2008, "LIBLINEAR"), and its scores become
    logits by a factor found on the held-out rows, or where these are few by cross-validation. Numbers are
    fitted by ridge regression, or for the metric "mae" by support vector regression.

    Args:
        problem: The network and the rows.
        id_sets: The names of the inputs that the network weights.
        sizes: How many ids each has.
        naive_bayes: For classes alone.
        costs: Of an error, relative to the squares of the weights; ascending. One that does worse than that
            before it ends the search.

    Returns:
        The solution that does best on the held-out rows: log loss, or the error of standardized numbers.
    """
    if problem.chosen is not None:
        costs = (problem.chosen["cost"],)
    learned, held_out = (
        incidence_matrices(each.inputs, id_sets, sizes) for each in (problem.learned, problem.held_out)
    )
    tried: list[Epoch] = []
    best: list[_Linear] = []
    factors: list[float] = []
    for number, cost in enumerate(costs):
        began = time.monotonic()
        heads = _fit_heads(problem, learned, cost, naive_bayes=naive_bayes)
        found = _factors(problem, problem.held_out.targets, [each.scores(held_out) for each in heads])
        losses = [
            _loss(problem, known, incidence, heads, found)
            for known, incidence in ((problem.learned, learned), (problem.held_out, held_out))
        ]
        seconds = time.monotonic() - began
        better = not tried or losses[1] < min(epoch.held_out for epoch in tried)
        tried.append(Epoch(number, losses[0], losses[1], seconds))
        if better:
            best, factors = heads, found
        if not better or problem.deadline.remaining < 2 * seconds:
            break
    chosen = min(tried, key=lambda epoch: epoch.held_out)
    cost = costs[chosen.epoch]
    if _has_few(problem) and problem.deadline.remaining > _FOLDS * chosen.seconds:
        left_out = _left_out(problem, learned, cost, naive_bayes=naive_bayes)
        factors = _factors(problem, problem.learned.targets, left_out)
    logits = [head.times(factor) for head, factor in zip(best, factors, strict=True)]
    setting = {"cost": cost, **{f"factor_{index}": factor for index, factor in enumerate(factors)}}
    weights = with_layers(problem.network, _layers(problem.network, logits))
    return Solution(weights, tuple(tried), chosen.epoch, setting)


def _has_few(problem: ClosedFormProblem) -> bool:
    """Whether the held-out rows are too few to find factors on, where there are any to be found."""
    classes = any(head.labels for head in problem.heads)
    least = min(int(has_target(y).sum()) for y in problem.held_out.targets)
    return classes and problem.chosen is None and least < _FEW


def _factors(
    problem: ClosedFormProblem, observed: Sequence[np.ndarray], scores: Sequence[np.ndarray]
) -> list[float]:
    """By which the scores of each head are multiplied, what was chosen or what fits best on these rows."""
    each = enumerate(zip(problem.heads, scores, observed, strict=True))
    if problem.chosen is not None:
        return [problem.chosen[f"factor_{index}"] for index, _ in each]
    return [factor_of(head, values, y) if head.labels else 1.0 for _, (head, values, y) in each]


def _left_out(
    problem: ClosedFormProblem, incidence: Incidences, cost: float, *, naive_bayes: bool
) -> list[np.ndarray]:
    """The scores of each head for the rows that are learned from, by weights that each wasn't used for.

    Held-out rows would do, but few are soon separated, and then no factor is too large for them.
    """
    known, rows = problem.learned, incidence[0].shape[0]
    found = [np.zeros((rows, head.width)) for head in problem.heads]
    fold = np.random.default_rng(problem.seed).permutation(rows) % _FOLDS
    for number in range(_FOLDS):
        others, own = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        weights = None if known.weights is None else known.weights[others]
        some = LabeledRows({}, tuple(y[others] for y in known.targets), weights)
        taken = [each[others] for each in incidence]
        heads = _fit_heads(replace(problem, learned=some), taken, cost, naive_bayes=naive_bayes)
        for scores, head in zip(found, heads, strict=True):
            scores[own] = head.scores([each[own] for each in incidence])
    return found


def _loss(
    problem: ClosedFormProblem,
    known: LabeledRows,
    incidence: Incidences,
    heads: Sequence[_Linear],
    factors: Sequence[float],
) -> float:
    """The sum over the heads."""
    each = zip(problem.heads, known.targets, heads, factors, strict=True)
    metric = problem.metric
    return float(sum(loss_of(head, metric, by * one.scores(incidence), y) for head, y, one, by in each))


def _fit_heads(
    problem: ClosedFormProblem, incidence: Incidences, cost: float, *, naive_bayes: bool
) -> list[_Linear]:
    """Every head, for the rows that are learned from, whose incidence matrices these are."""
    heads = zip(problem.heads, problem.learned.targets, strict=True)
    return [_head(head, problem, incidence, y, cost, naive_bayes=naive_bayes) for head, y in heads]


def _head(
    head: Head,
    problem: ClosedFormProblem,
    incidence: Incidences,
    y: np.ndarray,
    cost: float,
    *,
    naive_bayes: bool,
) -> _Linear:
    """All scores of a head, each fitted by itself."""
    wanted = kind_of(head).indicators(head, y).astype("float64")
    values = [idf(each) for each in incidence]
    columns, lengths, biases = [], [], []
    features: Sparse = None
    for column in wanted.T:
        own = values
        if naive_bayes and head.labels:
            own = [each * _log_ratio(of, column) for each, of in zip(values, incidence, strict=True)]
        if own is not values or features is None:
            features = sparse.hstack([scaled(*each) for each in zip(incidence, own, strict=True)], "csr")
            lengths.append([each**2 for each in own])
        weights, bias = _column(head, problem, features, column, cost)
        ends = np.cumsum([len(each) for each in own])[:-1]
        columns.append([v * w for v, w in zip(own, np.split(weights, ends), strict=True)])
        biases.append(bias)
    return _Linear(
        [np.stack(each, axis=1) for each in zip(*columns, strict=True)],
        [np.stack(each, axis=1) for each in zip(*lengths, strict=True)],
        np.array(biases),
    )


def _column(
    head: Head, problem: ClosedFormProblem, features: Sparse, y: np.ndarray, cost: float
) -> tuple[np.ndarray, float]:
    """The weights and the bias of one score, from the rows that have a target."""
    weights = problem.learned.weights
    if not (known := ~np.isnan(y)).all():
        features, y, weights = features[known], y[known], None if weights is None else weights[known]
    if np.ptp(y) == 0:
        return np.zeros(features.shape[1]), 2.0 * y[0] - 1.0 if head.labels else float(y[0])
    if head.labels:
        model = LinearSVC(C=cost, random_state=problem.seed % 2**32)
    elif problem.metric == "mae":
        model = LinearSVR(C=cost, random_state=problem.seed % 2**32)
    else:
        model = Ridge(alpha=0.5 / cost, solver="sparse_cg", tol=1e-4)
    model.fit(features, y, weights)
    return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])


def _log_ratio(incidence: Sparse, y: np.ndarray) -> np.ndarray:
    """How much larger, as a logarithm, the share of each id is where `y` is 1 than where it is 0."""
    in_class, in_others = (1.0 + incidence.T @ (y == value) for value in (1.0, 0.0))
    return np.log(in_class / in_class.sum()) - np.log(in_others / in_others.sum())


def _layers(network: keras.Model, heads: Sequence[_Linear]) -> dict[str, list[np.ndarray]]:
    """The values of the layers of `text.weighted_id_sets`, by name."""
    found = {}
    for index, head in enumerate(heads):
        name = scores_name(network, index)
        found[f"{name}_weights"] = [np.concatenate(head.weights).astype("float32")]
        found[f"{name}_squares"] = [np.concatenate(head.squares).astype("float32")]
        found[f"{name}_bias"] = [head.bias[None].astype("float32")]
    return found
