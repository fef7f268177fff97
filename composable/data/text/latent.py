"""Texts as a few numbers: latent semantic analysis of their n-grams."""

from __future__ import annotations

import numpy as np
from scipy import sparse

BUCKETS = 8192  # of n-gram ids, so that every table's vectors have one size; rare ones share a bucket
WIDTH = 32
LEAST = 1e-9  # of a squared length: texts without a known n-gram are all zeros
_ROWS = 4000  # looked at: more change little
_MORE, _ROUNDS = 8, 3  # directions that are followed beside those wanted, and how often
_WEAKEST = 1e-3  # of the singular values: weaker ones are noise


def fit_latent(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vectors and squares of the buckets, for `latent`.

    Deerwester et al. 1990, "Indexing by Latent Semantic Analysis": the truncated singular value decomposition
    of the rows' tf-idf (with presence for frequency, and rows of length one), scaled to a mean square of one.
    It is computed as Halko et al. 2011, arXiv:0909.4061, algorithm 4.4, have it.

    Args:
        ids: Of n-grams, 0 for none, shape (rows, width).

    Returns:
        float32 of shapes (BUCKETS, WIDTH) and (BUCKETS, 1).
    """
    some = ids[:: len(ids) // _ROWS + 1]
    there = some > 0
    ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    incidence = sparse.csr_matrix((np.ones(ends[-1]), some[there] % BUCKETS, ends), (len(some), BUCKETS))
    known = np.asarray(incidence.sum(axis=0)).ravel()
    values = np.where(known > 0, np.log((1 + len(some)) / (1 + known)) + 1, 0.0)
    squares = values**2
    features = (
        sparse.diags(1 / np.sqrt(np.maximum(incidence @ squares, LEAST))) @ incidence @ sparse.diags(values)
    )
    found = np.random.default_rng(0).normal(size=(BUCKETS, WIDTH + _MORE))
    for _ in range(_ROUNDS):
        found = features.T @ (features @ np.linalg.qr(found)[0])
    found = np.linalg.qr(found)[0]
    _, strengths, turn = np.linalg.svd(features @ found, full_matrices=False)
    axes = np.zeros((BUCKETS, WIDTH))
    strong = int((strengths[:WIDTH] > _WEAKEST).sum())
    axes[:, :strong] = (found @ turn[:strong].T) * (np.sqrt(len(some)) / strengths[:strong])
    return (values[:, None] * axes).astype("float32"), squares[:, None].astype("float32")


def latent(ids: np.ndarray, vectors: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Texts as numbers, shape (rows, WIDTH), by what `fit_latent` found; ids as there."""
    found = np.zeros((len(ids), vectors.shape[1]), "float32")
    lengths = np.zeros((len(ids), 1), "float32")
    for column in ids.T:  # one at a time: all at once would take much memory
        there = np.flatnonzero(column)
        buckets = column[there] % BUCKETS
        found[there] += vectors[buckets]
        lengths[there] += squares[buckets]
    return found / np.sqrt(np.maximum(lengths, LEAST))
