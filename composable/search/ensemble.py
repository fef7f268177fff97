"""Greedy ensemble selection with replacement, bagged, and what may enter the deployed model after it.

Caruana et al. 2004, "Ensemble Selection from Libraries of Models"; for the bags (there of candidates, here of
rows) Caruana, Munson & Niculescu-Mizil 2006, "Getting the Most Out of Ensemble Selection" (ICDM).
Networks and bundles enter only where held-out rows speak for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from composable.core.seeds import derive
from composable.problem.metrics import METRICS, TIE_BREAK, better
from composable.search.limits import Limits, total
from composable.search.policy import MOST_NETWORKS
from composable.search.predictions import Arrays, blend
from composable.search.scorer import Score, Scorer
from composable.search.trial import Trial, calibrate_average

_BAGS, _ROUNDS = 8, 12  # of each bag
_FEWEST_ROUNDS = 5
_VALUES = 150_000_000  # predicted values that are averaged and scored, in all: a second or two
_LEAST_WEIGHT = 0.04  # a smaller one isn't worth a further network
_NOISE = 2.0  # standard errors
_LEAST = 0.02  # of the loss; a smaller difference is none
_NEGLIGIBLE = 1e-5  # of the constant predictor's loss: next to perfect predictions differ by rounding


def greedy_weights(
    score: Score,
    metric: str,
    predicted: Sequence[Arrays],
    *,
    networks: Sequence[int],
    most: int,
    rounds: int = _ROUNDS,
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


def bagged_weights(
    scorer: Scorer,
    parts: Sequence[np.ndarray],
    predicted: Sequence[Arrays],
    *,
    networks: Sequence[int],
    seed: int,
    most_scores: float = math.inf,
) -> np.ndarray:
    """The mean of the weights that `greedy_weights` finds on bootstrap samples of the rows.

    On few rows, or by a metric that few of them decide, a single selection takes what suits just these rows.
    Where the metric looks at ranks or decisions alone, every second bag is selected by the log loss, which
    sees how sure each answer is (`benchmarks/ensemble.py` compares them).

    Args:
        scorer: Of predictions.
        parts: Row numbers; those of one part were predicted by one model.
        predicted: Of each candidate, for these rows, one part after another, per head.
        networks: How many networks each candidate takes; all together have at most `MOST_NETWORKS`.
        seed: For the samples.
        most_scores: How often a mixture of predictions may be scored.

    Returns:
        A share per candidate; they sum to one, or are all zero where no candidate has a score.
    """
    values = sum(head.size for one in predicted for head in one)
    affordable = min(_VALUES // max(values, 1), int(min(most_scores, 1e9)) // len(predicted))
    rounds = max(_FEWEST_ROUNDS, min(_ROUNDS, affordable))
    bags = max(1, min(_BAGS, affordable // rounds))
    rng, first = np.random.default_rng(seed), np.cumsum([0, *map(len, parts)])
    total = np.zeros(len(predicted))
    scorers = [scorer, *_by_log_loss(scorer)]
    for bag in range(bags):
        by = scorers[bag % len(scorers)]
        drawn = [rng.integers(0, len(part), len(part)) for part in parts]
        positions = np.concatenate([start + one for start, one in zip(first, drawn, strict=False)])
        total += greedy_weights(
            by.on_parts([part[one] for part, one in zip(parts, drawn, strict=True)]),
            by.problem.metric,
            [[head[positions] for head in one] for one in predicted],
            networks=networks,
            most=MOST_NETWORKS,
            rounds=rounds,
        )
    return _heaviest(total / max(total.sum(), 1e-9), networks)


def _by_log_loss(scorer: Scorer) -> list[Scorer]:
    """The scorer by the log loss, where the metric looks at ranks or decisions alone."""
    known = METRICS.get(scorer.problem.metric)
    if known is None or not (known.ranks or known.decides):
        return []
    return [replace(scorer, problem=replace(scorer.problem, metric=TIE_BREAK))]


def _heaviest(weights: np.ndarray, networks: Sequence[int]) -> np.ndarray:
    """The weights without small ones, and without those for which there are too many networks."""
    kept, room = np.zeros_like(weights), MOST_NETWORKS
    for index in np.argsort(-weights, kind="stable"):
        if weights[index] >= _LEAST_WEIGHT and networks[index] <= room:
            kept[index], room = weights[index], room - networks[index]
    return kept / max(kept.sum(), 1e-9)


def ensemble_members(
    found: Sequence[Trial], scorer: Scorer, limits: Limits, *, seed: int
) -> tuple[tuple[Trial, float], ...]:
    """The members of the ensemble and their weights.

    Args:
        found: Trials of networks.
        scorer: Of their predictions.
        limits: Of all members together; those of the least weight are left out until they hold.
        seed: For the bags.

    Returns:
        Two or more of them; none where one trial alone is best, or where no two are within the limits.
    """
    if len(found) < 2:
        return ()
    rows = np.concatenate(scorer.scored_parts)
    weights = bagged_weights(
        scorer,
        scorer.scored_parts,
        [[head[rows] for head in t.predictions.out_of_fold] for t in found],
        networks=[t.networks for t in found],
        seed=derive(seed, "ensemble"),
    )
    chosen = tuple((t, float(w)) for t, w in zip(found, weights, strict=True) if w > 0)
    while len(chosen) > 1 and limits.exceeded(total([t.cost for t, _ in chosen])):
        least = min(range(len(chosen)), key=lambda index: chosen[index][1])
        chosen = chosen[:least] + chosen[least + 1 :]
    share = sum(w for _, w in chosen)
    return tuple((t, w / share) for t, w in chosen) if len(chosen) > 1 else ()


def score_without(
    ensemble: Trial, left_out: Sequence[Trial], found: Sequence[Trial], scorer: Scorer
) -> float:
    """The selection score of an ensemble without some members, or of the best other trial, if that is better.

    Args:
        ensemble: The weights of its other members stay in their ratio.
        left_out: Trials that don't count.
        found: All trials; one that isn't left out at least.
        scorer: Of their predictions.
    """
    best = max if scorer.higher_is_better else min
    alone = best(t.score for t in found if t not in left_out)
    kept = [(t, weight) for t, weight in ensemble.members if t not in left_out]
    if len(kept) < 2:
        return alone
    total = sum(weight for _, weight in kept)
    blended = blend([t.predictions for t, _ in kept], [weight / total for _, weight in kept])
    return best(alone, scorer.selection(blended))


def blend_members(trial: Trial, scorer: Scorer) -> None:
    """What an ensemble predicts and costs, by its members."""
    members = [t for t, _ in trial.members]
    trial.predictions = blend([t.predictions for t in members], [w for _, w in trial.members])
    trial.seconds = sum(t.seconds for t in members)
    calibrate_average(trial, scorer)
    trial.cost = {key: sum(t.cost[key] for t in members) for key in ("parameters", "bytes", "latency_ms")}


def is_worth_adding(losses: np.ndarray, scored: np.ndarray) -> bool:
    """Whether a further network is as good on its held-out rows as the scored ones are on theirs.

    The rows differ, so the means may differ by the noise that the scored networks' losses show; the spread of
    the new losses themselves means nothing, since that of a bad network is large.

    Args:
        losses: (rows,) of the further network, on rows that it didn't learn from.
        scored: (rows,) of the networks that the candidate was scored by, on rows they didn't learn from.
    """
    noise = _NOISE * float(scored.std()) * np.sqrt(1.0 / len(losses) + 1.0 / len(scored))
    return bool(losses.mean() <= scored.mean() + noise)


def is_as_scored(deployed: np.ndarray, scored: np.ndarray) -> bool:
    """Whether a model does no worse on held-out rows than the predictions that it was chosen by.

    Most of its networks have learned from any one of these rows, so it should do better; where it does worse
    it isn't the model that was scored.

    Args:
        deployed: (rows,) losses of the model that is to be deployed, relative to the constant predictor's.
        scored: (rows,) losses of the out-of-fold predictions for the same rows.
    """
    excess = deployed - scored
    noise = _NOISE * float(excess.std()) / np.sqrt(len(excess))
    return bool(excess.mean() <= max(noise, _LEAST * scored.mean(), _NEGLIGIBLE))
