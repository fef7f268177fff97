"""A solver of forests: scikit-learn grows the trees, the weights of `forest_scores` hold them."""

from __future__ import annotations

import time
from typing import Any, Literal

import keras
import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from composable.core.seeds import derive
from composable.design.fitting import fit_to_rows
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.design.stems import Share
from composable.design.tables import adapt
from composable.design.trees import NEVER
from composable.engine.history import Epoch
from composable.engine.predict import predict
from composable.problem.kinds import kind_of
from composable.problem.problem import Head
from composable.training.boosted_trees import boosted_trees, raw_columns_of, rounded_down
from composable.training.candidate import Candidate
from composable.training.closed_form import ClosedFormProblem, Solution, loss_of, scores_name

Kind = Literal["random_forest", "extra_trees"]
_REGRESSORS = {"random_forest": RandomForestRegressor, "extra_trees": ExtraTreesRegressor}
_CLASSIFIERS = {"random_forest": RandomForestClassifier, "extra_trees": ExtraTreesClassifier}
_PER_ROW, _PER_SPLIT, _PER_CELL = 1e4, 2e5, 1.2  # multiply-adds: of a tree of a forest; of a boosted one
_PRIOR = 0.2  # rows of the classes' shares that each leaf is mixed with
_AT_ONCE = 10  # trees, between looks at the clock
_LONGER = 1.3  # times as long as those so far, at worst


@component
def forest(
    problem: ClosedFormProblem,
    *,
    kind: Kind,
    depth: Count,
    categories: tuple[int, ...] = (),
    smallest_leaf: Count = 1,
    features: Share = 1.0,
) -> Solution:
    """Grow trees until the network has no room for another one, or the time is over.

    Args:
        problem: The network, with `forest_scores` in it, and the rows.
        kind: "random_forest" (splits are sought, on rows drawn with replacement) or "extra_trees" (drawn).
        depth: Of a tree, at most.
        categories: The number of codes of each category column.
        smallest_leaf: Rows of a leaf, at least.
        features: The share of the columns that each split is chosen among.
    """
    began = time.monotonic()
    model = problem.fresh()
    adapt(model, problem.learned.inputs, categories=categories)
    fit_to_rows(model, problem.learned.inputs, seed=problem.seed)
    columns, weights = raw_columns_of(model, problem.learned), problem.learned.weights
    for index, (head, y) in enumerate(zip(problem.heads, problem.learned.targets, strict=True)):
        families = _CLASSIFIERS if head.labels else _REGRESSORS
        seed = derive(problem.seed, "forest", index) % 2**32
        grown = families[kind](
            n_estimators=0,
            warm_start=True,
            max_depth=depth,
            min_samples_leaf=smallest_leaf,
            max_features=features,
            random_state=seed,
        )
        wanted, name = _whole(head, y), scores_name(model, index)
        trees, nodes = _room(model, name)
        while grown.n_estimators < trees:
            before = time.monotonic()
            grown.n_estimators = min(trees, grown.n_estimators + _AT_ONCE)
            grown.fit(columns, wanted, weights)
            full = sum(one.tree_.node_count for one in grown.estimators_) > nodes
            if full or (
                problem.chosen is None and problem.deadline.remaining < _LONGER * (time.monotonic() - before)
            ):
                break
        fill_layers(model, name, head, grown)
    losses = []
    for rows in (problem.learned, problem.held_out):
        answers = predict(model, rows.inputs)
        each = zip(problem.heads, answers, rows.targets, strict=True)
        losses.append(sum(loss_of(head, problem.metric, logits, y) for head, logits, y in each))
    epoch = Epoch(0, float(losses[0]), float(losses[1]), time.monotonic() - began)
    return Solution(model.get_weights(), (epoch,), 0, {}, by_held_out=False)


def holds_trees(candidate: Candidate) -> bool:
    """Whether a candidate is one of trees and not a network that is trained step by step."""
    return candidate.solver is not None and candidate.solver.component in (boosted_trees, forest)


def growing_work(network: keras.Model, rows: int) -> float:
    """How many multiply-adds of a network growing its trees takes as long as, about.

    Args:
        network: Of boosted trees or of forests.
        rows: That they learn from.
    """
    work = 0.0
    for layer in network.layers:
        if layer.name.endswith("_roots"):
            work += _PER_ROW * rows * layer.units
        elif layer.name.endswith("_middle"):  # of every split that can be
            cells = (
                rows * network.get_layer(layer.name.replace("logits_middle", "embedding")).output.shape[-1]
            )
            work += layer.units * (_PER_SPLIT + _PER_CELL * cells)
    return work


def _whole(head: Head, y: np.ndarray) -> np.ndarray:
    """The targets, those missing in a column filled in: by its mean, or by its most frequent class."""
    filled = y.copy()
    for column in filled.T:
        known = column[~np.isnan(column)]
        values, counts = np.unique(known, return_counts=True)
        usual = values[np.argmax(counts)] if head.labels else known.mean()
        column[np.isnan(column)] = usual
    return filled.ravel() if filled.shape[1] == 1 else filled


def _room(model: keras.Model, name: str) -> tuple[int, int]:
    """For how many trees the layers have room, and for how many nodes of all of them."""
    trees, nodes = (model.get_layer(f"{name}_{of}") for of in ("roots", "columns"))
    return trees.units, nodes.units


def fill_layers(model: keras.Model, name: str, head: Head, grown: Any) -> None:
    """Set the weights of `forest_scores` to as many trees as there is room for.

    Args:
        model: With `forest_scores` in it.
        name: Of the layer that gives the scores.
        head: What is predicted.
        grown: A forest of scikit-learn.

    Raises:
        ValueError: If there is no room for one.
    """
    trees, nodes = _room(model, name)
    found = {of: np.zeros(nodes, "float32") for of in ("columns", "thresholds", "right")}
    values, rest = np.zeros((head.width, nodes), "float32"), nodes - 1
    found["thresholds"][rest] = NEVER  # where the trees that aren't there end
    roots: list[int] = []
    end = 0
    for one in grown.estimators_:
        tree = one.tree_
        if end + tree.node_count > rest:
            break
        place, itself = slice(end, end + tree.node_count), np.arange(tree.node_count)
        is_leaf = tree.children_left < 0
        goes_right = ~np.asarray(tree.missing_go_to_left, bool)
        found["columns"][place] = np.where(is_leaf, 0, tree.feature + grown.n_features_in_ * goes_right)
        found["thresholds"][place] = np.where(is_leaf, NEVER, rounded_down(tree.threshold))
        found["right"][place] = np.where(is_leaf, itself, tree.children_right)
        values[:, place] = _answers(head, grown, tree).T
        roots.append(end)
        end += tree.node_count
    if not roots:
        size = grown.estimators_[0].tree_.node_count
        raise ValueError(f"A tree of {size} nodes is larger than {rest}.")
    values *= trees / len(roots)  # the mean is taken over as many as there is room for
    classes = kind_of(head).activation
    tables = {
        **found,
        **{f"values_{unit}": one for unit, one in enumerate(values)},
        "roots": np.array(roots + [rest] * (trees - len(roots)), "float32"),
        "as_it_is": np.full(head.width, not head.labels, "float32"),
        "log": np.full(head.width, bool(head.labels), "float32"),
        "log_of_rest": np.full(head.width, -1.0 if head.labels and classes != "softmax" else 0.0, "float32"),
    }
    for of, table in tables.items():
        model.get_layer(f"{name}_{of}").set_weights([table.reshape(1, -1)])


def _answers(head: Head, grown: Any, tree: Any) -> np.ndarray:
    """What each node of a tree answers, (nodes, scores): means, or shares of classes.

    Shares are mixed with those of the root as if of a little of a row more: no leaf is ever certain.
    """
    if not head.labels:
        return tree.value[:, :, 0]
    rows = tree.weighted_n_node_samples[:, None, None] / (
        tree.weighted_n_node_samples[0] / tree.n_node_samples[0]
    )
    shares = (tree.value * rows + _PRIOR * tree.value[:1]) / (rows + _PRIOR)
    classes = grown.classes_ if isinstance(grown.classes_, list) else [grown.classes_]
    if kind_of(head).activation == "softmax":
        found = np.zeros((len(shares), head.width))
        found[:, classes[0].astype(int)] = shares[:, 0]
        return found
    positive = [
        shares[:, column, list(known).index(1)] if 1 in known else np.zeros(len(shares))
        for column, known in enumerate(classes)
    ]
    return np.stack(positive, axis=1)
