"""What untrained architectures will come to, by those that were trained: Gaussian process regression.

The kernel is a sum: decisions one by one (linear), decisions together (exponential in how many differ, a
Hamming kernel where all are choices), and measures (linear). Its shares, its length and the noise are those
of the highest marginal likelihood on a small grid, where the variance of the whole has its best value in
closed form. Rasmussen & Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1 and
equation 5.8.

Expected improvement: Jones, Schonlau & Welch 1998, "Efficient Global Optimization of Expensive Black-Box
Functions", equation 15.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

_SHARES = ((0.2, 0.2, 0.6), (0.2, 0.6, 0.2), (0.6, 0.2, 0.2), (1 / 3, 1 / 3, 1 / 3))
"""Of the variance: decisions one by one, decisions together, measures."""
_LENGTHS = (1.0, 4.0)  # decisions that differ, before little is known
_NOISES = (0.01, 0.1)  # of the variance
_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Points:
    """Architectures as points.

    Attributes:
        decisions: (architectures, numbers), where a decision that differs is a squared distance of one.
        measures: (architectures, measures) of what is known of them untrained, of each more promises more.
    """

    decisions: np.ndarray
    measures: np.ndarray

    def __len__(self) -> int:
        return len(self.decisions)


def chosen(known: Points, scores: np.ndarray, waiting: Points) -> int:
    """Which of those that wait has the highest expected improvement.

    Args:
        known: Architectures that were trained, two at least.
        scores: Theirs, finite; higher is better.
        waiting: One at least; the measures count by their ranks among all of these.
    """
    ranks = _ranked(np.concatenate([known.measures, waiting.measures]))
    ours = Points(known.decisions, ranks[: len(known)])
    mean, deviation = predicted(ours, scores, Points(waiting.decisions, ranks[len(known) :]))
    return int(np.argmax(expected_improvement(mean, deviation, float(np.max(scores)))))


def _ranked(measures: np.ndarray) -> np.ndarray:
    """Each measure by its rank among all, from -1 to 1; NaN is in the middle."""
    from scipy.stats import rankdata  # slow to import

    if not measures.size:
        return measures
    ranks = rankdata(measures, axis=0, nan_policy="omit")
    return np.nan_to_num(2 * ranks / len(measures) - 1, nan=0.0)


def predicted(known: Points, scores: np.ndarray, asked: Points) -> tuple[np.ndarray, np.ndarray]:
    """The expected score of each of the points asked for, and its standard deviation.

    Args:
        known: Architectures that were trained; the measures lie in [-1, 1].
        scores: Theirs, finite.
        asked: Others; together with the known ones they say where the middle is and how far points spread.
    """
    mean, scale = float(np.mean(scores)), float(np.std(scores)) or 1.0
    values = (scores - mean) / scale
    kernels = [_kernels(known, known, asked), _kernels(asked, known, asked)]
    size = len(values)
    found = []
    for shares, length, noise in product(_SHARES, _LENGTHS, _NOISES):
        root = np.linalg.cholesky(_mixed(kernels[0], shares, length) + noise * np.eye(size))
        white = np.linalg.solve(root, values)
        variance = max(float(white @ white) / size, _LEAST)
        likelihood = -0.5 * size * math.log(variance) - float(np.log(np.diag(root)).sum())
        found.append((likelihood, shares, length, root, white, variance))
    _, shares, length, root, white, variance = max(found, key=lambda one: one[0])
    across = np.linalg.solve(root, _mixed(kernels[1], shares, length).T)
    own = shares[0] * kernels[1].own[0] + shares[1] + shares[2] * kernels[1].own[1]
    left = np.maximum(variance * (own - np.sum(across**2, axis=0)), _LEAST)
    return mean + scale * (across.T @ white), scale * np.sqrt(left)


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """By how much each is expected to be better than the best; what is worse counts zero."""
    from scipy.special import ndtr  # slow to import

    steps = (mean - best) / deviation
    return deviation * (steps * ndtr(steps) + np.exp(-(steps**2) / 2) / math.sqrt(2 * math.pi))


@dataclass(frozen=True, eq=False)
class _Kernels:
    """Of points with others: inner products of decisions, squared distances, inner products of measures.

    `own` holds the first and the third of each point with itself.
    """

    decisions: np.ndarray
    distances: np.ndarray
    measures: np.ndarray
    own: tuple[np.ndarray, np.ndarray]


def _kernels(points: Points, known: Points, asked: Points) -> _Kernels:
    middle = np.concatenate([known.decisions, asked.decisions]).mean(axis=0)
    ours, theirs = points.decisions - middle, known.decisions - middle
    spread = float(np.mean(np.sum(np.square(asked.decisions - middle), axis=1))) or 1.0
    wide = float(np.mean(np.sum(np.square(asked.measures), axis=1))) or 1.0
    squares = np.sum(ours**2, axis=1)
    products = ours @ theirs.T
    distances = squares[:, None] + np.sum(theirs**2, axis=1)[None] - 2 * products
    return _Kernels(
        products / spread,
        np.maximum(distances, 0.0),
        points.measures @ known.measures.T / wide,
        (squares / spread, np.sum(points.measures**2, axis=1) / wide),
    )


def _mixed(kernels: _Kernels, shares: tuple[float, float, float], length: float) -> np.ndarray:
    together = np.exp(-kernels.distances / length)
    return shares[0] * kernels.decisions + shares[1] * together + shares[2] * kernels.measures
