"""tf-idf of bags of ids: which row has which, how rare each is, rows of length one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

Sparse = Any  # sparse.csr_matrix, whose types say too little
Marks = list[Sparse]  # of each bag, (rows, ids): 1 where a row has the id


def marks_of(inputs: Mapping[str, np.ndarray], bags: tuple[str, ...], sizes: tuple[int, ...]) -> Marks:
    """Of each bag a sparse matrix, (rows, ids): 1 where a row has the id."""
    found = []
    for name, size in zip(bags, sizes, strict=True):
        ids = inputs[name]
        there = ids > 0
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        found.append(sparse.csr_matrix((np.ones(ends[-1]), ids[there], ends), (len(ids), size)))
    return found


def rarity(marks: Sparse) -> np.ndarray:
    """The inverse document frequency of each id, 0 where none of the rows has it."""
    rows = np.asarray(marks.sum(axis=0)).ravel()
    return np.where(rows > 0, np.log((1 + marks.shape[0]) / (1 + rows)) + 1, 0.0)


def scaled(marks: Sparse, values: np.ndarray) -> Sparse:
    """Rows of length one, or of nothing."""
    lengths = np.repeat(inverse_lengths(marks @ values**2), np.diff(marks.indptr))
    return sparse.csr_matrix((values[marks.indices] * lengths, marks.indices, marks.indptr), marks.shape)


def inverse_lengths(squares: np.ndarray) -> np.ndarray:
    """Of bags, from the sums of the squares of their ids' values; an empty bag has a length all the same."""
    return 1.0 / np.sqrt(np.maximum(squares, 1e-9))
