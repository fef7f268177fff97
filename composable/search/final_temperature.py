"""The temperature of an average of networks, found on the rows that none of them learned from.

Networks that are calibrated each by itself are underconfident together: Rahaman & Thiery 2021, "Uncertainty
Quantification and Deep Ensembles", section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from composable.problem.calibrate import Calibration, calibrate
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import Activation, PostProcessing, final_answers, logits_of_answers
from composable.search.predictions import Arrays
from composable.search.scorer import Scorer

_PRIOR_ROWS = 100  # for which averages would be calibrated as they are
_PARTS = 5


def final_calibrations(scorer: Scorer, rows: np.ndarray, averages: Arrays) -> tuple[Calibration, ...]:
    """The final temperature of each head, drawn towards 1 where there are few rows.

    Args:
        scorer: Holds what was observed.
        rows: That no network learned from.
        averages: Per head, the averages of the networks' answers for these rows.
    """
    weights = None if scorer.weights is None else scorer.weights[rows]
    found = []
    for head, answers, y in zip(scorer.problem.heads, averages, scorer.targets, strict=True):
        logits = logits_of_answers(np, kind_of(head).activation, answers)
        one = calibrate(head, logits, y[rows], seed=0, weights=weights)
        drawn = one.temperature ** (len(rows) / (len(rows) + _PRIOR_ROWS))
        found.append(replace(one, temperature=float(drawn)))
    return tuple(found)


def final_steps(
    activations: Sequence[Activation], calibrations: Sequence[Calibration]
) -> tuple[PostProcessing, ...]:
    """What is done after averaging, per head; empty where nothing is."""
    if all(one.temperature == 1.0 for one in calibrations):
        return ()
    heads = zip(activations, calibrations, strict=True)
    return tuple(PostProcessing(activation, one.temperature) for activation, one in heads)


def at_final_temperature(steps: Sequence[PostProcessing], averages: Arrays) -> Arrays:
    """Averages after the final step of each head; as they are where there is none."""
    if not steps or not averages:
        return averages
    return [final_answers(np, step, one) for step, one in zip(steps, averages, strict=True)]


def cross_fitted_averages(scorer: Scorer, rows: np.ndarray, averages: Arrays) -> Arrays:
    """Averages for these rows, each part of them at the temperature that is found on the others."""
    part = np.random.default_rng(0).permutation(len(rows)) % _PARTS
    found = [head.copy() for head in averages]
    activations: list[Activation] = [kind_of(head).activation for head in scorer.problem.heads]
    for number in np.unique(part):
        own, others = part == number, part != number
        calibrations = final_calibrations(scorer, rows[others], [head[others] for head in averages])
        steps = final_steps(activations, calibrations)
        recalibrated = at_final_temperature(steps, [head[own] for head in averages])
        for head, values in zip(found, recalibrated, strict=True):
            head[own] = values
    return found
