"""A solver of numbers told from texts: the mean of the answers of the training rows that are most alike."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
from sklearn.utils.extmath import randomized_svd

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.watched import Epoch
from composable.training.solving import Posed, Solution, placed
from composable.training.tfidf import Sparse, marks_of, rarity, scaled

_JUDGED = 500  # training rows by which their loss is told
_NEVER = -1e9  # added to the attention to places that hold no row
_ROUNDS = 3  # of the power iteration


@component
def neighbouring_texts(
    posed: Posed,
    *,
    bag: str,
    size: Count,
    width: Count,
    rows: Count,
    sharpness: tuple[float, ...] = (8.0, 12.0, 16.0, 24.0, 36.0),
) -> Solution:
    """Fill `composable.design.attending_rows.attending_rows`, for each of several sharpnesses.

    Texts are compared by the cosine of their tf-idf vectors, projected on the strongest singular vectors
    (Deerwester et al. 1990, "Indexing by Latent Semantic Analysis"; Halko et al. 2011, arXiv:0909.4061).

    Args:
        posed: The network and the rows; one head, of numbers.
        bag: The name of the input that the network reads.
        size: How many ids it has.
        width: How many singular vectors.
        rows: That are kept, at most.
        sharpness: What cosines are multiplied by; the one that does best on the held-out rows is taken.
    """
    began = time.monotonic()
    (learnt,), (held_out,) = (
        marks_of(known.inputs, (bag,), (size,)) for known in (posed.learnt, posed.held_out)
    )
    vectors = _vectors(learnt, width, posed.seed)
    there = learnt.shape[0]
    kept = np.sort(np.random.default_rng(posed.seed).permutation(there)[:rows])
    keys, asked = _unit(learnt[kept] @ vectors), _unit(held_out @ vectors)
    answers, observed = (known.targets[0] for known in (posed.learnt, posed.held_out))
    answers = answers[kept].astype("float64")
    weights = np.ones(there) if posed.learnt.weights is None else posed.learnt.weights
    bias = np.log(np.maximum(weights[kept], 1e-12))
    itself = np.where(np.eye(min(_JUDGED, len(keys)), len(keys)) > 0, _NEVER, 0.0)
    tried = []
    for number, factor in enumerate(sharpness):
        inside = _mean(factor * keys[:_JUDGED] @ keys.T + itself + bias, answers)
        outside = _mean(factor * asked @ keys.T + bias, answers)
        losses = (_loss(posed, inside, answers[:_JUDGED]), _loss(posed, outside, observed))
        tried.append(Epoch(number, *losses, time.monotonic() - began))
        began = time.monotonic()
    best = min(tried, key=lambda epoch: epoch.held_out).epoch
    layers = _layers(posed.network, rows, vectors, sharpness[best] * keys, bias, answers)
    return Solution(placed(posed.network, layers), tuple(tried), best)


def _vectors(marks: Sparse, width: int, seed: int) -> np.ndarray:
    """Of each id, (ids, width): its rarity times its part in the singular vectors."""
    values = rarity(marks)
    features = scaled(marks, values)
    most = min(width, min(features.shape) - 1)
    axes = np.zeros((marks.shape[1], width))
    if most > 0 and features.nnz:
        rounds: Any = _ROUNDS  # scikit-learn's stub takes "auto" alone
        found: Any = randomized_svd(features, most, n_iter=rounds, random_state=seed % 2**32)
        axes[:, :most] = found[2].T
    return values[:, None] * axes


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.sqrt(np.maximum((vectors**2).sum(axis=1, keepdims=True), 1e-12))


def _mean(attention: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """By the softmax of (asked, kept) scores."""
    shares = np.exp(attention - attention.max(axis=1, keepdims=True))
    return shares @ answers / shares.sum(axis=1, keepdims=True)


def _loss(posed: Posed, said: np.ndarray, observed: np.ndarray) -> float:
    away = np.abs(said - observed)
    return float(np.mean(away if posed.problem.metric == "mae" else away**2))


def _layers(
    network: keras.Model,
    rows: int,
    vectors: np.ndarray,
    keys: np.ndarray,
    bias: np.ndarray,
    answers: np.ndarray,
) -> dict[str, list[np.ndarray]]:
    """The values of the layers of `attending_rows`, by name."""
    missing = rows - len(keys)
    name = next(layer.name for layer in network.layers if layer.name.endswith("logits_keys"))
    offsets = np.concatenate([bias, np.full(missing, _NEVER)])
    return {
        name.replace("_keys", "_vectors"): [vectors.astype("float32")],
        name: [np.pad(keys, ((0, missing), (0, 0))).T.astype("float32"), offsets.astype("float32")],
        name.removesuffix("_keys"): [np.pad(answers, ((0, missing), (0, 0))).astype("float32")],
    }
