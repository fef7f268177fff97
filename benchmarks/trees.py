"""Trees in the Keras graph beside scikit-learn's own prediction: how far apart, how much longer.

python benchmarks/trees.py [--rows 20000] [--repeat 7]

Made rows (Friedman #1, some values missing; one case with categories). For each kind of trees: the largest
difference over the deviation of scikit-learn's scores, and the least seconds of the repetitions for all rows,
as a bundle predicts, and for one row. Least, because other work on the machine only adds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from benchmarks.conditions import conditions
from composable.engine.predict import predict
from composable.problem.problem import Head
from composable.training.boosted_trees import Trees, tables_of
from composable.training.forest import fill_layers
from composable.zoo.boosted_trees import tree_scores
from composable.zoo.forest import forest_scores

Predict = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=7)
    asked = parser.parse_args()
    print(conditions())
    print(f"{'':24} {'difference':>10} {'all rows: ours, theirs, ratio':>32} {'one row, likewise':>32}")
    for name, make in CASES.items():
        x, ours, theirs = make(asked.rows)
        expected = theirs(x)
        apart = np.abs(ours(x) - expected).max() / expected.std()
        cells = []
        for rows in (x, x[:1]):
            seconds = np.array([[timed(one, rows) for one in (ours, theirs)] for _ in range(asked.repeat)])
            mine, other = 1000 * seconds.min(axis=0)
            cells.append(f"{mine:10.2f} ms {other:8.2f} ms {mine / other:6.2f}x")
        print(f"{name:24} {apart:10.1e} {cells[0]:>32} {cells[1]:>32}")


def timed(one: Predict, rows: np.ndarray) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    one(rows)
    return time.perf_counter() - began


def made(rows: int, codes: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns, those of codes first, and a target."""
    x, y = make_friedman1(rows, n_features=12, random_state=0)
    x = x.astype("float32")
    x[::17, 3] = np.nan
    if not codes:
        return x, y
    rng = np.random.default_rng(0)
    columns = rng.integers(0, codes, (rows, 2))
    effects = rng.normal(size=codes)
    return np.concatenate([columns.astype("float32"), x], axis=1), y + effects[columns].sum(axis=1)


def network(x: np.ndarray, scores: Callable[[Any], Any], tables: dict[str, np.ndarray]) -> Predict:
    """A network of trees, as a bundle predicts."""
    inputs = keras.Input(x.shape[1:], name="columns")
    model = keras.Model({"columns": inputs}, scores(inputs))
    for name, values in tables.items():
        model.get_layer(f"logits_{name}").set_weights([values.reshape(1, -1)])
    return lambda rows: predict(model, {"columns": rows})[0]


def boosted(rows: int, *, classes: int = 0, codes: int = 0) -> tuple[np.ndarray, Predict, Predict]:
    """HistGradientBoosting of 200 rounds."""
    x, y = made(rows, codes)
    arguments: dict[str, Any] = {"max_iter": 200, "early_stopping": False, "random_state": 0}
    if codes:
        arguments["categorical_features"] = np.arange(x.shape[1]) < 2
    if classes:
        labels = np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]))
        model: Any = HistGradientBoostingClassifier(**arguments).fit(x, labels)
    else:
        model = HistGradientBoostingRegressor(**arguments).fit(x, y)
    start = model._baseline_prediction.ravel()  # noqa: SLF001
    sizes = (codes, codes) if codes else ()
    trees = Trees((model,), (tuple(range(len(start))),), start)
    tables = tables_of(trees, 200, 31, sizes)
    ours = network(
        x, lambda i: tree_scores(i, units=len(start), rounds=200, categories=sizes, name="logits"), tables
    )
    theirs = model.decision_function if classes else model.predict
    return x, ours, lambda some: np.reshape(theirs(some), (len(some), -1))


def extra_trees(rows: int) -> tuple[np.ndarray, Predict, Predict]:
    """150 trees of at most 2,000 nodes, on two cores."""
    x, y = made(rows)
    model = ExtraTreesRegressor(
        150, max_depth=18, min_samples_leaf=max(2, rows // 1000), random_state=0, n_jobs=2
    ).fit(x, y)
    nodes = 1 + sum(one.tree_.node_count for one in model.estimators_)
    inputs = keras.Input(x.shape[1:], name="columns")
    scores = forest_scores(inputs, units=1, trees=150, nodes=nodes, depth=18, name="logits")
    graph = keras.Model({"columns": inputs}, scores)
    fill_layers(graph, "logits", Head("y", "regression", ("y",)), model)
    return (
        x,
        lambda some: predict(graph, {"columns": some})[0],
        lambda some: model.predict(some)[:, None],
    )


CASES: dict[str, Callable[[int], tuple[np.ndarray, Predict, Predict]]] = {
    "boosted": boosted,
    "boosted, 5 classes": lambda rows: boosted(rows, classes=5),
    "boosted, 30 codes": lambda rows: boosted(rows, codes=30),
    "boosted, 250 codes": lambda rows: boosted(rows, codes=250),
    "extra trees": extra_trees,
}

if __name__ == "__main__":
    main()
