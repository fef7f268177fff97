"""What networks have to beat, on the same folds: the constant predictor, and another kind of model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from composable.auto.prepare import Prepared
from composable.core.seeds import derive
from composable.problem.baseline import ITERATIONS, constant_predictor, gradient_boosting
from composable.problem.kinds import answers_pixels
from composable.problem.patches import described, draw_patches
from composable.problem.pixels import described as described_pixels
from composable.problem.pixels import logistic_on_pixels
from composable.problem.ridge import ROWS, ridge_on_patches
from composable.search.predictions import Arrays, Predictions, pool

_MANY, _TREE = 20, 0.01  # scores, each of which takes a tree in every iteration; seconds for one
_TIMED = 256  # images
_LEARNED, _SOLVED = 200, 2.0  # images with masks, seconds
# (training rows, the inputs that are asked about, how many rows these are) -> answers, one array per head
Predict = Callable[[np.ndarray, Mapping[str, np.ndarray], int], Arrays]


@dataclass(frozen=True)
class Baseline:
    """A model of another kind.

    Attributes:
        name: For the leaderboard.
        seconds: How long its predictions will take, from the rows and a seed.
        predictions: From the rows and a seed.
    """

    name: str
    seconds: Callable[[Prepared, int], float]
    predictions: Callable[[Prepared, int], Predictions]


def baseline(prepared: Prepared) -> Baseline:
    """The one that suits the rows."""
    if answers_pixels(prepared.material.problem):
        return Baseline("logistic_on_pixels", pixels_seconds, on_pixels)
    if set(prepared.material.inputs) == {"images"}:
        return Baseline("ridge_on_patches", patches_seconds, on_patches)
    return Baseline("gradient_boosting", boosting_seconds, boosting)


def reference(prepared: Prepared) -> Predictions:
    """The predictions of the constant predictor."""
    heads, targets = prepared.material.problem.heads, prepared.material.targets
    return _predictions(
        prepared, lambda train, _, rows: constant_predictor(heads, tuple(y[train] for y in targets), rows)
    )


def on_patches(prepared: Prepared, seed: int) -> Predictions:
    """The predictions of ridge regression on patches of the images."""
    material = prepared.material

    def predict(train: np.ndarray, asked: Mapping[str, np.ndarray], _: int) -> Arrays:
        some = np.random.default_rng(derive(seed, "baseline", "rows")).permutation(train)[:ROWS]
        targets, images = [y[some] for y in material.targets], material.inputs["images"][some]
        return ridge_on_patches(
            material.problem.heads, images, targets, asked["images"], seed=derive(seed, "baseline")
        )

    return _predictions(prepared, predict)


def patches_seconds(prepared: Prepared, _seed: int) -> float:
    """How long `on_patches` will take, judged by some images: most of it goes to describing them."""
    fold, images = prepared.split.folds[0], prepared.material.inputs["images"]
    some = images[fold.train[:_TIMED]]
    patches = draw_patches(some, 0)
    began = time.monotonic()
    described(some, patches)
    each = (time.monotonic() - began) / len(some)
    return (min(len(fold.train), ROWS) + _asked(prepared)) * each * prepared.split.scored_folds


def on_pixels(prepared: Prepared, seed: int) -> Predictions:
    """The predictions of logistic regression on single pixels of some images."""
    material = prepared.material
    (head,), (masks,) = material.problem.heads, material.targets

    def predict(train: np.ndarray, asked: Mapping[str, np.ndarray], _: int) -> Arrays:
        some = np.random.default_rng(derive(seed, "baseline", "rows")).permutation(train)[:_LEARNED]
        images = material.inputs["images"][some]
        said = logistic_on_pixels(images, masks[some], asked["images"], seed=derive(seed, "baseline"))
        return [np.pad(said, [(0, 0)] * 3 + [(0, head.width - said.shape[-1])])]

    return _predictions(prepared, predict)


def pixels_seconds(prepared: Prepared, _seed: int) -> float:
    """How long `on_pixels` will take, judged by describing an image."""
    began = time.monotonic()
    described_pixels(prepared.material.inputs["images"][0])
    each = time.monotonic() - began
    return (_SOLVED + each * (_LEARNED + 2 * _asked(prepared))) * prepared.split.scored_folds


def _asked(prepared: Prepared) -> int:
    """How many rows are asked about, for each fold."""
    fold = prepared.split.folds[0]
    own = len(prepared.own_targets[0]) if prepared.own_targets else 0
    return len(fold.held_out) + len(fold.test) + own


def boosting(prepared: Prepared, seed: int) -> Predictions:
    """The predictions of HistGradientBoosting with its defaults."""
    return _predictions(prepared, lambda train, asked, _: _boosted(prepared, train, asked, seed, ITERATIONS))


def boosting_seconds(prepared: Prepared, seed: int) -> float:
    """How long `boosting` will take, judged by its first iterations; on texts by the number of classes."""
    scores = sum(head.width for head in prepared.material.problem.heads)
    if scores > _MANY and prepared.material.vocabularies:  # the first iterations alone would take long
        return _TREE * scores * ITERATIONS * prepared.split.scored_folds
    train = prepared.split.folds[0].train
    times = []
    for iterations in (2, 6):
        began = time.monotonic()
        _boosted(prepared, train, prepared.material.at(train[:10]), seed, iterations)
        times.append(time.monotonic() - began)
    one = max(0.0, times[1] - times[0]) / 4
    return (times[1] + (ITERATIONS - 6) * one) * prepared.split.scored_folds


def _boosted(
    prepared: Prepared, train: np.ndarray, asked: Mapping[str, np.ndarray], seed: int, iterations: int
) -> Arrays:
    material = prepared.material
    return gradient_boosting(
        material.problem.heads,
        material.at(train),
        tuple(y[train] for y in material.targets),
        asked,
        seed=derive(seed, "baseline"),
        weights=None if material.weights is None else material.weights[train],
        iterations=iterations,
    )


def _predictions(prepared: Prepared, predict: Predict) -> Predictions:
    """Train once per fold, then predict its held-out rows, its test rows and the user's own."""
    material, split = prepared.material, prepared.split

    def said(number: int) -> tuple[Arrays, Arrays, Arrays]:
        fold = split.folds[number]
        asked = material.at(np.concatenate([fold.held_out, fold.test]))
        own = material.own_test or {name: values[:0] for name, values in asked.items()}
        together = {name: np.concatenate([values, own[name]]) for name, values in asked.items()}
        held_out, test = len(fold.held_out), len(fold.held_out) + len(fold.test)
        rows = test + len(next(iter(own.values())))
        answers = predict(fold.train, together, rows)
        on_own = [answer[test:] for answer in answers] if rows > test else []
        on_test = [answer[held_out:test] for answer in answers]
        return [answer[:held_out] for answer in answers], on_test, on_own

    return pool(material.problem, split, range(split.scored_folds), len(material.targets[0]), said)
