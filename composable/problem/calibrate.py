"""Temperature scaling on held-out rows, kept only where it helps on rows that it wasn't fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head
from composable.problem.scores import score

_LEAST_ROWS = 50
_RANGE = (np.log(0.2), np.log(5.0))


@dataclass(frozen=True)
class Calibration:
    """The temperature that was found, and the log loss on held-out rows without and with it."""

    temperature: float = 1.0
    log_loss_before: float | None = None
    log_loss_after: float | None = None


def calibrate(
    head: Head, logits: np.ndarray, observed: np.ndarray, *, seed: int, weights: np.ndarray | None = None
) -> Calibration:
    """Fit one temperature for a head of classes (Guo et al. 2017, section 4.2).

    Two halves of the rows score each other's temperature; only if both together are better off than at 1 is
    the temperature of all rows kept.

    Args:
        head: Its kind says on which rows a temperature is found; without classes there is none, which is 1.
        logits: Of rows the network didn't learn from, as `postprocess` takes them.
        observed: Targets as its kind encodes them.
        seed: Decides the halves.
        weights: A weight per row, or None.
    """
    rows = kind_of(head).calibration_rows(head, logits, observed)
    if rows is None or len(rows[2]) < _LEAST_ROWS:
        return Calibration()
    head, logits, observed = rows
    if weights is not None and len(weights) != len(observed):
        weights = None  # of pixels, of which only some are looked at
    half = np.random.default_rng(seed).permutation(len(observed)) % 2 == 0

    def loss(part: np.ndarray | slice, temperature: float) -> float:
        step = PostProcessing(kind_of(head).activation, temperature)
        return score(
            "log_loss",
            head,
            observed[part],
            postprocess(np, step, logits[part]),
            weights=None if weights is None else weights[part],
        )

    def best(part: np.ndarray | slice) -> float:
        found = minimize_scalar(
            lambda log: loss(part, float(np.exp(log))),
            bounds=_RANGE,
            method="bounded",
            options={"maxiter": 20},
        )
        return float(np.exp(found.x))

    everything = slice(None)
    before = loss(everything, 1.0)
    after = sum(loss(~part, best(part)) * _share(~part, weights) for part in (half, ~half))
    if not after < before:
        return Calibration(1.0, before, before)
    return Calibration(best(everything), before, float(after))


def _share(part: np.ndarray, weights: np.ndarray | None) -> float:
    return float(part.mean()) if weights is None else float(weights[part].sum() / weights.sum())
