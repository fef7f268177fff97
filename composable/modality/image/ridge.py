"""What a network for images has to beat: ridge regression on whitened patches, solved in seconds.

Coates, Ng & Lee 2011, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning" (AISTATS):
patches of training images, whitened (ZCA), are the filters; what they answer at each place, cut off at zero
on both sides, is summed over the parts of a grid. Where the paper has means of clusters, patches are drawn
here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, softmax

from composable.core.seeds import derive
from composable.data.kinds.image import IMAGES
from composable.design import Part, component
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import Activation
from composable.problem.problem import Head
from composable.problem.scores import has_target
from composable.training.baseline import BaselineProblem
from composable.training.candidate import Arrays, Baseline

ROWS = 20_000  # more hardly make it better
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
_SHARPNESS = np.exp(np.linspace(np.log(1), np.log(20), 24))  # of the probabilities that scores stand for
_TIMED = 256  # images
_HELD_OUT = 5  # every fifth row decides between penalties
PATCH, FILTERS, GRID = 6, 64, 3
SIDE = 32  # pixels: larger images are shrunk, for the work grows with the places
_DRAWN = 20_000  # patches that the whitening is fitted to
_CONTRAST = 10.0  # added to a patch's variance (levels from 0 to 255), as in the paper
_SMOOTHING = 0.1  # added to the variances of whitened directions
_OFFSET = 0.5  # what is cut off, in standard deviations of the output of a filter
_BLOCK = 256  # images at once


@dataclass(frozen=True, eq=False)
class Ridge:
    """Scores of features: `(features - mean) / deviation @ weights + bias`."""

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(rows, outputs)."""
        return (features - self.mean) / self.deviation @ self.weights + self.bias


def fit_ridge(features: np.ndarray, targets: np.ndarray, penalty: float) -> Ridge:
    """Ridge regression of (rows, outputs) targets on standardized features.

    The penalty is one of the mean square error: it does not depend on the number of rows.
    """
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    scaled = (features - mean) / deviation
    bias = targets.mean(axis=0)
    few = len(scaled) < scaled.shape[1]  # the smaller of two systems with the same solution is solved
    gram = (scaled @ scaled.T if few else scaled.T @ scaled) / len(scaled)
    gram[np.diag_indices_from(gram)] += penalty
    wanted = (targets - bias) / len(scaled)
    found = cho_solve(cho_factor(gram, overwrite_a=True), wanted if few else scaled.T @ wanted)
    found = scaled.T @ found if few else found
    return Ridge(mean, deviation, found.astype("float32"), bias.astype("float32"))


def ridge_on_patches(
    heads: Sequence[Head],
    images: np.ndarray,
    targets: Sequence[np.ndarray],
    query: np.ndarray,
    *,
    seed: int,
) -> list[np.ndarray]:
    """Learn from images, and answer for others.

    Args:
        heads: What is predicted.
        images: (rows, height, width, channels); `ROWS` of them are enough.
        targets: One array per head, as `encode_targets` gives them.
        query: Images likewise.
        seed: Of the choice of patches.

    Returns:
        Numbers or probabilities, one array per head.
    """
    patches = draw_patches(images, derive(seed, "patches"))
    features, of_query = described(images, patches), described(query, patches)
    return [_answers(head, features, y, of_query) for head, y in zip(heads, targets, strict=True)]


def _answers(head: Head, features: np.ndarray, y: np.ndarray, query: np.ndarray) -> np.ndarray:
    kind = kind_of(head)
    known = has_target(y)
    features, wanted = features[known], kind.indicators(head, y[known]).astype("float32")
    wanted = np.where(np.isnan(wanted), np.nanmean(wanted, axis=0), wanted)  # of labels that some rows lack
    held = np.arange(len(features)) % _HELD_OUT == 0 if len(features) > _HELD_OUT else np.zeros(0, bool)
    penalty, sharpness = PENALTIES[-1], 1.0
    if held.any():
        tried = {p: fit_ridge(features[~held], wanted[~held], p)(features[held]) for p in PENALTIES}
        penalty = min(tried, key=lambda p: float(((tried[p] - wanted[held]) ** 2).mean()))
        sharpness = min(_SHARPNESS, key=lambda s: _log_loss(kind.activation, tried[penalty], s, wanted[held]))
    return _predictions(kind.activation, fit_ridge(features, wanted, penalty)(query), sharpness)


def _predictions(activation: Activation, scores: np.ndarray, sharpness: float) -> np.ndarray:
    """Numbers as they are; of scores that stand for 0 or 1, probabilities."""
    if activation == "linear":
        return scores
    if activation == "sigmoid":
        return expit(2 * sharpness * (scores - 0.5))
    return softmax(sharpness * scores, axis=1)


def _log_loss(activation: Activation, scores: np.ndarray, sharpness: float, wanted: np.ndarray) -> float:
    if activation == "linear":
        return 0.0
    answers = np.clip(_predictions(activation, scores, sharpness), 1e-7, 1 - 1e-7)
    against = 0.0 if activation == "softmax" else (1 - wanted) * np.log(1 - answers)
    return -float((wanted * np.log(answers) + against).sum(axis=1).mean())


@component
def predict(problem: BaselineProblem) -> Arrays:
    """Learn from some of the images of a fold and predict others."""
    material, seed = problem.material, problem.seed
    some = np.random.default_rng(derive(seed, "baseline", "rows")).permutation(problem.train)[:ROWS]
    targets, images = [y[some] for y in material.targets], material.inputs[IMAGES][some]
    return ridge_on_patches(
        material.problem.heads, images, targets, problem.query[IMAGES], seed=derive(seed, "baseline")
    )


@component
def seconds(problem: BaselineProblem) -> float:
    """How long one fold will take, estimated from some images: most of it goes to describing them."""
    some = problem.material.inputs[IMAGES][problem.train[:_TIMED]]
    patches = draw_patches(some, 0)
    began = time.monotonic()
    described(some, patches)
    each = (time.monotonic() - began) / len(some)
    return (min(len(problem.train), ROWS) + problem.query_rows) * each


@dataclass(frozen=True, eq=False)
class Patches:
    """Filters and what brings patches to their coordinates.

    Attributes:
        mean: Of all patches, (values,).
        filters: (values, filters): whitening and filters in one.
        side: Of a patch.
        step: From one place to the next.
    """

    mean: np.ndarray
    filters: np.ndarray
    side: int
    step: int


def draw_patches(images: np.ndarray, seed: int) -> Patches:
    """Patches of these images, (rows, height, width, channels), as whitened filters."""
    rng = np.random.default_rng(seed)
    images = _shrunk(images)
    height, width = images.shape[1:3]
    side = min(PATCH, height, width)
    rows = rng.integers(len(images), size=_DRAWN)
    tops, lefts = (
        rng.integers(height - side + 1, size=_DRAWN),
        rng.integers(width - side + 1, size=_DRAWN),
    )
    places = np.arange(side)
    cut = images[
        rows[:, None, None], tops[:, None, None] + places[:, None], lefts[:, None, None] + places[None, :]
    ]
    clean = _normalized(cut.reshape(_DRAWN, -1).astype("float32"))
    mean = clean.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(clean - mean, rowvar=False).reshape(clean.shape[1], -1))
    whitening = (directions / np.sqrt(np.maximum(variances, 0) + _SMOOTHING)) @ directions.T
    chosen = (clean[rng.permutation(_DRAWN)[:FILTERS]] - mean) @ whitening
    norms = np.linalg.norm(chosen, axis=1, keepdims=True)
    filters = whitening @ (chosen / np.maximum(norms, 1e-6)).T
    step = 2 if min(height, width) > 2 * PATCH else 1
    return Patches(mean.astype("float32"), filters.astype("float32"), side, step)


def described(images: np.ndarray, patches: Patches) -> np.ndarray:
    """The features of images, (rows, 2 * filters * grid * grid), float32."""
    parts = [_described(_shrunk(images[at : at + _BLOCK]), patches) for at in range(0, len(images), _BLOCK)]
    count = 2 * patches.filters.shape[1] * GRID**2
    return np.concatenate(parts) if parts else np.empty((0, count), "float32")


def _described(images: np.ndarray, patches: Patches) -> np.ndarray:
    side, step = patches.side, patches.step
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(1, 2))
    windows = windows[:, ::step, ::step].transpose(
        0, 1, 2, 4, 5, 3
    )  # rows, down, right, side, side, channels
    rows, down, right = windows.shape[:3]
    flat = _normalized(windows.reshape(rows * down * right, -1).astype("float32"))
    outputs = ((flat - patches.mean) @ patches.filters).reshape(rows, down, right, -1)
    both = np.concatenate([np.maximum(outputs - _OFFSET, 0), np.maximum(-outputs - _OFFSET, 0)], axis=-1)
    sums = np.add.reduceat(both, _starts(down), axis=1)
    return np.add.reduceat(sums, _starts(right), axis=2).reshape(rows, -1)


def _shrunk(images: np.ndarray) -> np.ndarray:
    """Means over squares of pixels, as many as bring the longer side down to `SIDE` or so."""
    factor = round(max(images.shape[1:3]) / SIDE)
    if factor < 2:
        return images
    down, right = (max(1, side // factor) for side in images.shape[1:3])
    cut = images[:, : down * factor, : right * factor].astype("float32")
    return cut.reshape(len(images), down, -1, right, factor, images.shape[3]).mean(axis=(2, 4))


def _starts(size: int) -> np.ndarray:
    """Where the parts of the grid begin; the same place twice where there are too few."""
    return np.minimum(np.arange(GRID) * size // GRID, size - 1)


def _normalized(patches: np.ndarray) -> np.ndarray:
    """Each patch with a mean of zero and a deviation of about one."""
    centered = patches - patches.mean(axis=1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axis=1, keepdims=True) + _CONTRAST)


RIDGE_ON_PATCHES = Baseline("ridge_on_patches", Part(seconds), Part(predict), first=True)
