"""Trees for tables: those that are tried, and the baseline, gradient boosting with its defaults."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.data.kinds import KINDS
from composable.data.texts import WIDTH as LATENT
from composable.design import Between, Choice, Part, component
from composable.design.metaparameters import Count
from composable.engine.settings import Settings
from composable.modality.facts import DataFacts
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.search.space import OpenCandidate
from composable.training.baseline import BaselineProblem
from composable.training.boosted_trees import boosted_trees as grow_boosted_trees
from composable.training.candidate import Arrays, Baseline, Candidate
from composable.training.forest import forest as grow_forest
from composable.zoo.boosted_trees import MOST_LEAVES, boosted_trees
from composable.zoo.forest import forest

ITERATIONS = 100  # HistGradientBoosting's default
_FEW_ROWS = 5000
_MOST_TREES, _FEWEST_ROUNDS = 2_000, 40  # of all scores together; of each
_RATE = 0.06  # of 300 rounds
_FEATURES = 0.5  # of the columns, for each split: nearly always better than all, and faster
_FOREST_TREES, _FEWEST_TREES, _DEEPEST = 150, 40, 40
_FOREST_NUMBERS = 1_500_000  # of all its nodes
_MANY, _TREE = 20, 0.01  # scores, each of which takes a tree in every iteration; seconds for one


def gradient_boosting(
    heads: tuple[Head, ...],
    inputs: Mapping[str, np.ndarray],
    targets: tuple[np.ndarray, ...],
    ask: Mapping[str, np.ndarray],
    *,
    seed: int,
    weights: np.ndarray | None = None,
    iterations: int = ITERATIONS,
) -> list[np.ndarray]:
    """Train HistGradientBoosting with its defaults on the networks' encoded rows; predict those of `ask`."""
    found = (kind.tabular(inputs, ask) for kind in KINDS if kind.tabular is not None)
    tables = [table for table in found if table is not None]
    features = np.concatenate([table.learned for table in tables], axis=1)
    query = np.concatenate([table.query for table in tables], axis=1)
    categorical = np.concatenate([np.full(table.learned.shape[1], table.categorical) for table in tables])
    usable = ~np.isnan(features).all(axis=0)  # scikit-learn refuses a column without any value
    features, query, categorical = features[:, usable], query[:, usable], categorical[usable]
    # On few rows threads cost more than they bring, and many times more on a busy machine.
    with threadpool_limits(1 if len(features) < _FEW_ROWS else None, "openmp"):
        return [
            np.stack(
                [
                    _one(head, _model(head, categorical, seed, iterations), features, y[:, i], query, weights)
                    for i in range(y.shape[1])
                ],
                axis=-1,
            ).reshape(len(query), -1)
            for head, y in zip(heads, targets, strict=True)
        ]


def _model(
    head: Head, categorical: np.ndarray, seed: int, iterations: int
) -> HistGradientBoostingRegressor | HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier if head.labels else HistGradientBoostingRegressor
    return model(categorical_features=cast("Any", categorical), max_iter=iterations, random_state=seed)


def _one(
    head: Head,
    model: HistGradientBoostingRegressor | HistGradientBoostingClassifier,
    features: np.ndarray,
    y: np.ndarray,
    query: np.ndarray,
    weights: np.ndarray | None,
) -> np.ndarray:
    if not (known := ~np.isnan(y)).all():
        features, y, weights = features[known], y[known], None if weights is None else weights[known]
    if isinstance(model, HistGradientBoostingRegressor):
        return model.fit(features, y, weights).predict(query)
    present = np.unique(y).astype(int)
    shares = np.zeros((len(query), len(head.labels)))
    if len(present) == 1:
        shares[:, present[0]] = 1.0
    else:
        shares[:, present] = model.fit(features, y, weights).predict_proba(query)
    return shares if kind_of(head).activation == "softmax" else shares[:, 1]


@component
def predict(problem: BaselineProblem, *, iterations: Count = ITERATIONS) -> Arrays:
    """Train on the rows of a fold and predict others."""
    material, train = problem.material, problem.train
    return gradient_boosting(
        material.problem.heads,
        material.at(train),
        tuple(y[train] for y in material.targets),
        problem.query,
        seed=derive(problem.seed, "baseline"),
        weights=None if material.weights is None else material.weights[train],
        iterations=iterations,
    )


@component
def seconds(problem: BaselineProblem) -> float:
    """How long one fold will take, estimated from its first iterations; on texts by the number of classes."""
    material = problem.material
    scores = sum(head.width for head in material.problem.heads)
    if scores > _MANY and material.vocabularies:  # the first iterations alone would take long
        return _TREE * scores * ITERATIONS
    few, times = replace(problem, query=material.at(problem.train[:10])), []
    for iterations in (2, 6):
        began = time.monotonic()
        predict(few, iterations=iterations)
        times.append(time.monotonic() - began)
    one = max(0.0, times[1] - times[0]) / 4
    return times[1] + (ITERATIONS - 6) * one


def refuse_trees(model: Any, name: str, _facts: DataFacts) -> None:
    """A design of trees would be trained step by step, which they can't be.

    Raises:
        ConfigError: If it is one.
    """
    if any(layer.name.endswith("_thresholds") for layer in model.layers):
        raise ConfigError(
            "Trees are grown and not trained step by step, so they are no design of one's own.",
            received=f"--design {name}",
            remedy="leave --design out: trees are among the candidates; --exclude leaves the others out",
        )


GRADIENT_BOOSTING = Baseline("gradient_boosting", Part(seconds), Part(predict))


def trees(facts: DataFacts) -> tuple[Candidate, Candidate, Candidate]:
    """Boosted ones, extremely randomized ones, and small boosted ones: a few seconds each."""
    usual, small = _boosted(facts)
    return usual, _extra_trees(facts), small


def tree_space(facts: DataFacts) -> OpenCandidate:
    """What is open in boosted trees of the usual size: the rate, how small leaves are, and the columns."""
    usual = next(_boosted(facts))
    grown = cast("Part", usual.solver)
    given = grown.metaparameters
    rate, leaf = given["learning_rate"], given["smallest_leaf"]
    solver = grown.replace(
        learning_rate=Between(rate / 2, min(0.5, 2 * rate), log=True),
        smallest_leaf=Between(max(1, leaf // 2), 4 * leaf, log=True),
        features=Choice((0.3, 0.5, 1.0)),
    )
    return OpenCandidate(replace(usual, solver=solver))


def _boosted(facts: DataFacts) -> Iterator[Candidate]:
    """Boosted trees of the usual size; many small ones."""
    scores = sum(head.width for head in facts.problem.heads)
    most, leaf = max(_FEWEST_ROUNDS, _MOST_TREES // scores), int(np.clip(facts.rows // 50, 3, 20))
    sizes = (("boosted_trees", MOST_LEAVES, 300), ("boosted_trees_small", 8, 600))
    for name, leaves, rounds in sizes:
        kept = min(rounds, most)
        design = boosted_trees(tasks=facts.tasks, categories=facts.categories, rounds=kept, leaves=leaves)
        solver = Part(
            grow_boosted_trees,
            leaves=leaves,
            categories=facts.categories,
            learning_rate=min(0.3, _RATE * rounds / kept),
            smallest_leaf=leaf,
            features=_FEATURES,
        )
        yield Candidate(name, design, Settings(), solver=solver)


def _extra_trees(facts: DataFacts) -> Candidate:
    """Extremely randomized trees, with leaves of so many rows that enough trees find room."""
    scores = sum(head.width for head in facts.problem.heads)
    nodes = _FOREST_NUMBERS // (3 + scores)
    leaf = max(1 if facts.problem.heads[0].labels else 2, -(-2 * facts.kept * _FEWEST_TREES // nodes))
    columns = len(facts.categories) + facts.numbers + (LATENT if "ngrams" in facts.widths else 0)
    share = 1.0 if not facts.problem.heads[0].labels else max(1.0, columns**0.5) / columns
    design = forest(
        tasks=facts.tasks, categories=facts.categories, trees=_FOREST_TREES, nodes=nodes, depth=_DEEPEST
    )
    solver = Part(
        grow_forest,
        kind="extra_trees",
        depth=_DEEPEST,
        categories=facts.categories,
        smallest_leaf=leaf,
        features=min(1.0, share),
    )
    return Candidate("extra_trees", design, Settings(), solver=solver)
