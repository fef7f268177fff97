"""Greedy ensemble selection with replacement.

Caruana et al. 2004, "Ensemble Selection from Libraries of Models".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.metrics import better
from composable.search.predictions import Arrays
from composable.search.scorer import Score

ROUNDS = 25  # AutoGluon reports no gain from more


def greedy_weights(
    score: Score,
    metric: str,
    predicted: Sequence[Arrays],
    *,
    networks: Sequence[int],
    most: int,
    rounds: int = ROUNDS,
) -> np.ndarray:
    """How often each candidate is taken up, as shares: in each round the one that helps the score most.

    Of all rounds the best is kept: on these rows it is never worse than the best candidate alone.

    Args:
        score: Scores predictions for the rows.
        metric: Its name, which decides whether higher is better.
        predicted: Of each candidate, for the rows, per head.
        networks: How many networks each takes.
        most: Of the networks of those that are taken up.
        rounds: How many.

    Returns:
        A share per candidate; they sum to one, or are all zero where no candidate has a score.
    """
    counts, total = np.zeros(len(predicted), int), [np.zeros_like(head) for head in predicted[0]]
    best_counts, best_score = counts, float("nan")
    for taken in range(rounds):
        room = most - sum(size for count, size in zip(counts, networks, strict=True) if count)
        scores = [
            score([(t + p) / (taken + 1) for t, p in zip(total, one, strict=True)])
            if counts[index] or networks[index] <= room
            else float("nan")
            for index, one in enumerate(predicted)
        ]
        pick = 0
        for index, found in enumerate(scores):
            if better(metric, found, scores[pick]):
                pick = index
        counts = counts.copy()
        counts[pick] += 1
        total = [t + p for t, p in zip(total, predicted[pick], strict=True)]
        if better(metric, scores[pick], best_score):
            best_counts, best_score = counts, scores[pick]
    return best_counts / max(int(best_counts.sum()), 1)
