"""Greedy ensemble selection with replacement (Caruana et al. 2004, "Ensemble Selection from Libraries of Models")."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.metrics import better
from composable.search.opinion import Judge, Opinion, blend

ROUNDS = 25  # AutoGluon reports no gain from more


def greedy_weights(judge: Judge, opinions: Sequence[Opinion], *, most: int) -> np.ndarray:
    """How often each opinion is taken up, as shares: in each round the one that helps the validation score most.

    Of all rounds the best is kept, so the result is never worse on the validation rows than the best single opinion.

    Args:
        judge: Scores the blends.
        opinions: Of the candidates.
        most: So many different ones are taken up at most.
    """
    metric = judge.problem.metric
    counts = np.zeros(len(opinions))
    best_counts, best_score = counts, float("nan")
    for _ in range(ROUNDS):
        tried = []
        full = np.count_nonzero(counts) >= most
        for number in range(len(opinions)):
            if full and not counts[number]:
                tried.append(float("nan"))
                continue
            counts[number] += 1
            chosen = np.flatnonzero(counts)
            mixed = blend([opinions[i] for i in chosen], [counts[i] / counts.sum() for i in chosen])
            tried.append(judge.selection(mixed))
            counts[number] -= 1
        pick = 0
        for number, found in enumerate(tried):
            if better(metric, found, tried[pick]):
                pick = number
        counts[pick] += 1
        if better(metric, tried[pick], best_score):
            best_counts, best_score = counts.copy(), tried[pick]
    return best_counts / max(best_counts.sum(), 1)
