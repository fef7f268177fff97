"""The ensemble of a search: the candidates that came to their end, weighed against each other."""

from __future__ import annotations

import numpy as np

from composable.auto.trainings import MOST_NETWORKS
from composable.auto.trial_book import TrialBook
from composable.auto.trial_costs import sum_of_costs
from composable.search.ensemble import greedy_weights
from composable.search.predictions import blend
from composable.search.scorer import Scorer
from composable.search.trial import Trial, calibrate_average


def ensemble(book: TrialBook, most_weights: float) -> Trial | None:
    """The ensemble with the best score; None where it would have one member, or too many weights."""
    scorer, found = book.scorer, book.succeeded
    if len(found) < 2:
        return None
    rows = np.concatenate(scorer.scored_parts)
    weights = greedy_weights(
        scorer.on_parts(scorer.scored_parts),
        scorer.problem.metric,
        [[head[rows] for head in t.predictions.out_of_fold] for t in found],
        networks=[t.networks for t in found],
        most=MOST_NETWORKS,
    )
    chosen = [(t, float(w)) for t, w in zip(found, weights, strict=True) if w > 0]
    if len(chosen) < 2 or sum_of_costs([t for t, _ in chosen])["parameters"] > most_weights:
        return None
    trial = book.new("ensemble", "ensemble", "-".join(f"{t.identity}:{w:.4f}" for t, w in chosen))
    trial.members = tuple(chosen)
    blend_members(trial, scorer)
    trial.score = scorer.selection(trial.predictions)
    return trial


def blend_members(trial: Trial, scorer: Scorer) -> None:
    """What an ensemble predicts and costs, by its members."""
    members = [t for t, _ in trial.members]
    trial.predictions = blend([t.predictions for t in members], [w for _, w in trial.members])
    trial.seconds = sum(t.seconds for t in members)
    calibrate_average(trial, scorer)
    trial.cost = sum_of_costs(members)
