"""The predictions of what networks have to beat, on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from composable.auto.prepare import Prepared
from composable.modality import Baseline
from composable.problem.scores import constant_predictor
from composable.search.predictions import Arrays, Predictions, pool

# (training rows, inputs of the query rows, number of query rows) -> answers, one array per head
Predict = Callable[[np.ndarray, Mapping[str, np.ndarray], int], Arrays]


def reference(prepared: Prepared) -> Predictions:
    """The predictions of the constant predictor."""
    heads, targets = prepared.material.problem.heads, prepared.material.targets
    return _predictions(
        prepared, lambda train, _, rows: constant_predictor(heads, tuple(y[train] for y in targets), rows)
    )


def predictions_of(baseline: Baseline, prepared: Prepared, seed: int) -> Predictions:
    """The predictions of a baseline."""
    material = prepared.material
    return _predictions(prepared, lambda train, query, _: baseline.predict(material, train, query, seed))


def seconds_of(baseline: Baseline, prepared: Prepared, seed: int) -> float:
    """How long `predictions_of` will take."""
    fold = prepared.split.folds[0]
    own = len(prepared.own_targets[0]) if prepared.own_targets else 0
    query_rows = len(fold.held_out) + len(fold.test) + own
    return prepared.split.scored_folds * baseline.seconds(prepared.material, fold.train, query_rows, seed)


def _predictions(prepared: Prepared, predict: Predict) -> Predictions:
    """Train once per fold, then predict its held-out rows, its test rows and the user's own."""
    material, split = prepared.material, prepared.split

    def on_fold(number: int) -> tuple[Arrays, Arrays, Arrays]:
        fold = split.folds[number]
        query = material.at(np.concatenate([fold.held_out, fold.test]))
        own = material.own_test or {name: values[:0] for name, values in query.items()}
        together = {name: np.concatenate([values, own[name]]) for name, values in query.items()}
        held_out, test = len(fold.held_out), len(fold.held_out) + len(fold.test)
        rows = test + len(next(iter(own.values())))
        answers = predict(fold.train, together, rows)
        on_own = [answer[test:] for answer in answers] if rows > test else []
        on_test = [answer[held_out:test] for answer in answers]
        return [answer[:held_out] for answer in answers], on_test, on_own

    return pool(material.problem, split, range(split.scored_folds), len(material.targets[0]), on_fold)
