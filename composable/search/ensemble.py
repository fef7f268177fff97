"""Greedy ensemble selection with replacement.

Caruana et al. 2004, "Ensemble Selection from Libraries of Models".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.problem.metrics import better
from composable.search.opinion import Judge, Opinion, blend

ROUNDS = 25  # AutoGluon reports no gain from more


def greedy_weights(
    judge: Judge, opinions: Sequence[Opinion], *, networks: Sequence[int], most: int
) -> np.ndarray:
    """How often each opinion is taken up, as shares: in each round the one that helps the score most.

    Of all rounds the best is kept: on the validation rows it is never worse than the best opinion alone.

    Args:
        judge: Scores the blends, on the validation rows.
        opinions: Of the candidates.
        networks: How many networks each takes.
        most: Of the networks of those that are taken up.

    Returns:
        A share per opinion; they sum to one, or are all zero where no opinion has a score.
    """
    metric = judge.problem.metric
    counts = [0] * len(opinions)
    best_counts, best_score = counts, float("nan")
    for _ in range(ROUNDS):
        room = most - sum(size for count, size in zip(counts, networks, strict=True) if count)
        scores = [
            judge.selection(_blended(opinions, _one_more(counts, number)))
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


def _blended(opinions: Sequence[Opinion], counts: Sequence[int]) -> Opinion:
    chosen = [(opinion, count) for opinion, count in zip(opinions, counts, strict=True) if count]
    return blend([opinion for opinion, _ in chosen], [count / sum(counts) for _, count in chosen])
