"""tf-idf of id sets: which row has which, how rare each is, rows of length one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

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
