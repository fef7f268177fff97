"""A solver of boosted trees: scikit-learn grows them, the weights of `tree_scores` hold them.

The conversion is exact to the rounding of float32: thresholds are rounded down, so that a float32 value lies
on the same side as in scikit-learn, which compares in float64.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from composable.core.budget import Deadline
from composable.core.seeds import derive
from composable.design.fitting import fit_to_rows
from composable.design.metaparameters import Count, Rate
from composable.design.part import component
from composable.design.stems import Share
from composable.design.tables import adapt
from composable.design.taps import before_layers
from composable.design.trees import FAR, NEVER
from composable.engine.history import Epoch
from composable.engine.predict import predict
from composable.problem.kinds import kind_of
from composable.training.closed_form import ClosedFormProblem, LabeledRows, Solution, loss_of, scores_name
from composable.zoo.boosted_trees import MOST_CODES, MOST_LEAVES, WORD, splits_of, words_of

Model = HistGradientBoostingRegressor | HistGradientBoostingClassifier
_STEPS = 20  # numbers of rounds between which held-out rows choose
_FEW_ROWS = 5000
_LOOKS = 8  # at the clock
_LONGER = 1.5  # times as long as the rounds before, at worst
_PATIENCE, _FEWEST_IDLE = (
    2.4,
    10,
)  # rounds times the rate, and rounds, without a gain, after which growing ends
_ABSENT = -20.0  # the logit of a class that no row has


@component
def boosted_trees(
    problem: ClosedFormProblem,
    *,
    leaves: Count = MOST_LEAVES,
    categories: tuple[int, ...] = (),
    learning_rate: Rate = 0.1,
    smallest_leaf: Count = 20,
    features: Share = 1.0,
) -> Solution:
    """Grow trees with scikit-learn's HistGradientBoosting, and keep as many rounds as held-out rows ask for.

    Growing ends when their loss has not fallen for a while.

    Args:
        problem: The network, with `tree_scores` in it, and the rows.
        leaves: Of a tree, at most; as many as the network has room for.
        categories: The number of codes of each category column.
        learning_rate: By which the leaves of each tree are multiplied.
        smallest_leaf: Rows of a leaf, at least.
        features: The share of the columns that each split is chosen among.
    """
    began = time.monotonic()
    model = problem.fresh()
    adapt(model, problem.learned.inputs, categories=categories)
    fit_to_rows(model, problem.learned.inputs, seed=problem.seed)
    columns, queries = (_columns(model, rows, categories) for rows in (problem.learned, problem.held_out))
    rounds = _rounds_of(model, scores_name(model, 0), leaves)
    least = round(problem.chosen["rounds"]) if problem.chosen else rounds
    fresh = {
        "max_iter": min(rounds, least),
        "max_leaf_nodes": leaves,
        "learning_rate": learning_rate,
        "min_samples_leaf": smallest_leaf,
        "max_features": features,
        "categorical_features": np.arange(columns.shape[1]) < len(categories),
        "early_stopping": problem.chosen is None,
        "n_iter_no_change": max(_FEWEST_IDLE, round(_PATIENCE / learning_rate)),
    }
    # On few rows threads cost more than they bring, and many times more on a busy machine.
    with threadpool_limits(1 if len(columns) < _FEW_ROWS else None, "openmp"):
        grown = [_grown(problem, index, columns, queries, fresh) for index in range(len(problem.heads))]
        tried = _tried(problem, grown, columns, queries, time.monotonic() - began)
    best = int(np.argmin([epoch.held_out for epoch in tried])) if problem.chosen is None else len(tried) - 1

    # The network is lent: by the time that other rounds are asked for, it may be another fold's.
    full, places = model.get_weights(), {id(one): place for place, one in enumerate(model.weights)}
    of_rounds: list[tuple[int, np.ndarray]] = []  # places of the values of leaves, by which rounds are kept
    for index, trees in enumerate(grown):
        for name, table in tables_of(trees, rounds, leaves, categories).items():
            (variable,) = model.get_layer(f"{scores_name(model, index)}_{name}").weights
            place = places[id(variable)]
            full[place] = table.reshape(1, -1).astype(full[place].dtype)
            if name == "values":
                of_rounds.append((place, table))

    def weights(chosen: Mapping[str, float]) -> list[np.ndarray]:
        """Those of the network with so many rounds."""
        found = list(full)
        for place, table in of_rounds:
            kept = np.arange(rounds)[:, None, None] < round(chosen["rounds"])
            found[place] = np.where(kept, table, 0.0).reshape(1, -1).astype(table.dtype)
        return found

    chosen = {"rounds": float(tried[best].epoch)}
    return Solution(weights(chosen), tried, best, chosen, again=weights)


def _rounds_of(model: keras.Model, name: str, leaves: int) -> int:
    """How many rounds the network has room for.

    Raises:
        ValueError: If its trees have another number of leaves.
    """
    splits, values, start = (
        model.get_layer(f"{name}_{of}").units for of in ("thresholds", "values", "start")
    )
    trees = splits // splits_of(leaves)
    if trees * leaves != values:
        raise ValueError(
            f"The network has no room for trees of {leaves} leaves: set leaves and solver.leaves alike."
        )
    return trees // start


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of one head.

    Attributes:
        models: Fitted ones.
        scores: Of each model the numbers of the scores that its trees are added to.
        start: What they are added to, (scores,).
    """

    models: tuple[Model, ...]
    scores: tuple[tuple[int, ...], ...]
    start: np.ndarray


def raw_columns_of(model: keras.Model, rows: LabeledRows) -> np.ndarray:
    """What trees of a network learn from, (rows, columns): NaN where a value is missing."""
    probe = before_layers(model, [scores_name(model, 0).replace("logits", "embedding")])
    (columns,) = predict(probe, rows.inputs)
    columns = np.array(columns, "float32")
    columns[:, np.isnan(columns).all(axis=0)] = 0.0  # scikit-learn refuses a column without any value
    return columns


def _columns(model: keras.Model, rows: LabeledRows, categories: tuple[int, ...]) -> np.ndarray:
    """Codes beyond those that a split can tell apart are unknown."""
    columns = raw_columns_of(model, rows)
    codes = columns[:, : len(categories)]
    codes[codes >= MOST_CODES] = 0.0
    return columns


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows with one target.

    Attributes:
        columns: (rows, columns).
        y: (rows,).
        weights: (rows,), or None.
    """

    columns: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None

    def where(self, kept: np.ndarray) -> _Part:
        """Some of the rows."""
        return _Part(self.columns[kept], self.y[kept], None if self.weights is None else self.weights[kept])


def _grow(model: Model, learned: _Part, held_out: _Part, deadline: Deadline) -> None:
    """Grow trees, some rounds at a time, until there are enough, they bring nothing, or the time is over."""
    stopping = {}
    if model.early_stopping:
        stopping = {"X_val": held_out.columns, "y_val": held_out.y, "sample_weight_val": held_out.weights}
    rounds = model.max_iter
    for some in np.unique(np.linspace(0, rounds, _LOOKS + 1).round().astype(int))[1:]:
        began = time.monotonic()
        model.set_params(max_iter=int(some), warm_start=True)
        model.fit(learned.columns, learned.y, learned.weights, **stopping)
        if model.n_iter_ < some or deadline.remaining < _LONGER * (time.monotonic() - began):
            return


def _grown(
    problem: ClosedFormProblem,
    index: int,
    columns: np.ndarray,
    queries: np.ndarray,
    arguments: Mapping[str, Any],
) -> Trees:
    """The trees of a head: those of each column of its targets."""
    head, y, later = problem.heads[index], problem.learned.targets[index], problem.held_out
    start, models, scores = np.zeros(head.width), [], []
    for column, values in enumerate(y.T):
        known = ~np.isnan(values)
        learned = _Part(columns, values, problem.learned.weights).where(known)
        held_out = _Part(queries, later.targets[index][:, column], later.weights)
        several, present = kind_of(head).activation == "softmax", np.zeros(0, int)
        seed = derive(problem.seed, "trees", index, column) % 2**32
        if not head.labels:
            loss = "absolute_error" if problem.metric == "mae" else "squared_error"
            model, own = HistGradientBoostingRegressor(loss=loss, random_state=seed, **arguments), (column,)
        else:
            present = np.unique(values[known]).astype(int)
            start[slice(None) if several else column] = _ABSENT
            if len(present) < 2:
                start[present if several else column] = -_ABSENT if present[0] else _ABSENT
                continue
            model = HistGradientBoostingClassifier(random_state=seed, **arguments)
            own = tuple(present) if several else (column,)
        waiting = sum(each.shape[1] for each in problem.learned.targets[index:]) - column
        left = math.inf if problem.chosen else problem.deadline.remaining / waiting
        until = Deadline(left, problem.deadline.clock)
        _grow(
            model,
            learned,
            held_out.where(np.isin(held_out.y, present) if head.labels else ~np.isnan(held_out.y)),
            until,
        )
        if several and len(own) == 2:  # one score tells two classes apart
            own = own[1:]
            start[present[0]] = 0.0
        start[list(own)] = model._baseline_prediction.ravel()  # noqa: SLF001
        models.append(model)
        scores.append(own)
    return Trees(tuple(models), tuple(scores), start)


def _tried(
    problem: ClosedFormProblem,
    grown: Sequence[Trees],
    columns: np.ndarray,
    queries: np.ndarray,
    seconds: float,
) -> tuple[Epoch, ...]:
    """The losses after some numbers of rounds, of the rows learned from and of the held-out ones."""
    found: dict[int, np.ndarray] = {}
    for index, (head, trees) in enumerate(zip(problem.heads, grown, strict=True)):
        for part, (rows, targets) in enumerate(((columns, problem.learned), (queries, problem.held_out))):
            for rounds, logits in _staged(trees, rows):
                loss = loss_of(head, problem.metric, logits, targets.targets[index])
                found.setdefault(rounds, np.zeros(2))[part] += loss
    each = seconds / len(found)
    return tuple(Epoch(rounds, float(both[0]), float(both[1]), each) for rounds, both in found.items())


def _staged(trees: Trees, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The scores after every so many rounds, and after the last one."""
    logits = np.tile(trees.start, (len(rows), 1))
    if not trees.models:
        yield 1, logits
        return
    most = min(one.n_iter_ for one in trees.models)  # the clock may have ended some sooner
    stages = [
        (
            one.staged_decision_function
            if isinstance(one, HistGradientBoostingClassifier)
            else one.staged_predict
        )(rows)
        for one in trees.models
    ]
    for number, each in enumerate(zip(*stages, strict=False), start=1):
        if number % max(1, most // _STEPS) == 0 or number == most:
            for own, scores in zip(trees.scores, each, strict=True):
                logits[:, list(own)] = scores.reshape(len(rows), -1)
            yield number, logits.copy()


def tables_of(trees: Trees, rounds: int, leaves: int, categories: tuple[int, ...]) -> dict[str, np.ndarray]:
    """What the layers of `tree_scores` hold, by the end of their names.

    Args:
        trees: Fitted.
        rounds: That the layers have room for.
        leaves: Of a tree, that they have room for.
        categories: The number of codes of each of the first columns.
    """
    units, splits = len(trees.start), splits_of(leaves)
    shape, words = (splits, rounds, units), words_of(categories) if categories else 0
    found = {name: np.zeros(shape, "float32") for name in ("columns", "thresholds", "first", "middle")}
    members = np.zeros((words, *shape), "float32")
    found |= {f"members_{word}": one for word, one in enumerate(members)}
    if categories:
        found["code_columns"] = np.zeros(shape, "float32")
    found["values"] = np.zeros((rounds, units, leaves), "float32")
    found["start"] = trees.start.astype("float32")
    for model, own in zip(trees.models, trees.scores, strict=True):
        encoder: Any = model._preprocessor  # noqa: SLF001
        known = encoder.named_transformers_["encoder"].categories_ if categories else []
        seen = [codes.astype(int) for codes in known]
        for number, each in enumerate(model._predictors):  # noqa: SLF001
            for score, tree in zip(own, each, strict=True):
                values, nodes, first, middle = _in_order(tree.nodes)
                at = (slice(len(nodes)), number, score)
                found["values"][number, score, : len(values)] = values
                found["first"][at], found["middle"][at] = first, middle
                of_codes, goes_right = nodes["is_categorical"] > 0, nodes["missing_go_to_left"] == 0
                column = nodes["feature_idx"] + model._n_features * goes_right  # noqa: SLF001
                found["columns"][at] = np.where(of_codes, 0, column)
                found["thresholds"][at] = np.where(of_codes, NEVER, rounded_down(nodes["num_threshold"]))
                for split in np.flatnonzero(of_codes):
                    found["code_columns"][split, number, score] = nodes["feature_idx"][split]
                    members[:, split, number, score] = _left_codes(tree, nodes[split], seen, words)
    return found


def _in_order(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A tree's leaves from left to right, its splits, and two numbers of leaves for each of these.

    They are that of the first leaf below it, and that of the first one to its right. scikit-learn puts a node
    before its left branch, and that before its right one: the leaves to the left of a node are before it.

    Raises:
        ValueError: If the nodes are in another order.
    """
    is_leaf = nodes["is_leaf"] > 0
    places, before = np.flatnonzero(~is_leaf), np.cumsum(is_leaf) - is_leaf
    splits = nodes[places]
    if not (splits["left"] == places + 1).all():
        raise ValueError("The nodes of a tree are in an order that this version doesn't know.")
    return nodes["value"][is_leaf], splits, before[places], before[splits["right"]]


def _left_codes(tree: Any, node: Any, seen: Sequence[np.ndarray], words: int) -> np.ndarray:
    """Whole numbers whose bits say which codes go left; those never seen go where missing values do."""
    sides = np.full(words * WORD, bool(node["missing_go_to_left"]))
    codes = seen[node["feature_idx"]]
    bits = tree.raw_left_cat_bitsets[node["bitset_idx"]].astype("<u4").view("uint8")
    sides[codes] = np.unpackbits(bits, bitorder="little")[: len(codes)]
    return sides.reshape(words, WORD) @ (1 << np.arange(WORD))


def rounded_down(thresholds: Any) -> np.ndarray:
    """As float32: a value of float32 is below one of them where it is below it in float64."""
    exact = np.minimum(np.asarray(thresholds, "float64"), 1.5 * FAR)
    near = exact.astype("float32")
    return np.where(near.astype("float64") <= exact, near, np.nextafter(near, np.float32(-np.inf)))
