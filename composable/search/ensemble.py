"""Greedy ensemble selection with replacement.

Caruana et al. 2004, "Ensemble Selection from Libraries of Models".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.metrics import better
from composable.search.predictions import Predictions, Scorer, blend

ROUNDS = 25  # AutoGluon reports no gain from more


def greedy_weights(
    scorer: Scorer, predictions: Sequence[Predictions], *, networks: Sequence[int], most: int
) -> np.ndarray:
    """How often each predictions is taken up, as shares: in each round the one that helps the score most.

    Of all rounds the best is kept: on the validation rows it is never worse than the best predictions alone.

    Args:
        scorer: Scores the blends, on the validation rows.
        predictions: Of the candidates.
        networks: How many networks each takes.
        most: Of the networks of those that are taken up.

    Returns:
        A share per predictions; they sum to one, or are all zero where no predictions has a score.
    """
    metric = scorer.problem.metric
    counts = [0] * len(predictions)
    best_counts, best_score = counts, float("nan")
    for _ in range(ROUNDS):
        room = most - sum(size for count, size in zip(counts, networks, strict=True) if count)
        scores = [
            scorer.selection(_blended(predictions, _one_more(counts, number)))
            if count or networks[number] <= room
            else float("nan")
            for number, count in enumerate(counts)
        ]
        pick = 0
        for number, found in enumerate(scores):
            if better(metric, found, scores[pick]):
                pick = number
        counts = _one_more(counts, pick)
        if better(metric, scores[pick], best_score):
            best_counts, best_score = counts, scores[pick]
    return np.array(best_counts) / max(sum(best_counts), 1)


def _one_more(counts: Sequence[int], number: int) -> list[int]:
    return [count + (place == number) for place, count in enumerate(counts)]


def _blended(predictions: Sequence[Predictions], counts: Sequence[int]) -> Predictions:
    chosen = [(predictions, count) for predictions, count in zip(predictions, counts, strict=True) if count]
    return blend([predictions for predictions, _ in chosen], [count / sum(counts) for _, count in chosen])
