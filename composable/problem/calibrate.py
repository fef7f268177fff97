"""Temperature scaling on held-out rows, kept only where it helps on rows that it wasn't fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from composable.problem.finish import Finish, apply_finish
from composable.problem.masks import as_rows
from composable.problem.metrics import score
from composable.problem.problem import Head

_LEAST_ROWS = 50
_RANGE = (np.log(0.2), np.log(5.0))


@dataclass(frozen=True)
class Calibration:
    """The temperature that was found, and the log loss on held-out rows without and with it."""

    temperature: float = 1.0
    log_loss_before: float | None = None
    log_loss_after: float | None = None


def calibrate(head: Head, logits: np.ndarray, observed: np.ndarray, *, seed: int) -> Calibration:
    """Fit one temperature for a head of classes (Guo et al. 2017, section 4.2).

    Two halves of the rows judge each other's temperature; only if both together are better off than at 1 is
    the temperature of all rows kept.

    Args:
        head: A head of classes; a regression gets temperature 1.
        logits: Of rows the network didn't learn from, as `apply_finish` takes them.
        observed: Their classes, (rows, 1) or (rows, labels); of masks (rows, height, width).
        seed: Decides the halves.
    """
    if head.kind == "mask":
        head, logits, observed = as_rows(head, logits, observed)
    if head.kind == "regression" or len(observed) < _LEAST_ROWS:
        return Calibration()
    half = np.random.default_rng(seed).permutation(len(observed)) % 2 == 0
    before = _loss(head, logits, observed, 1.0)
    judged = sum(
        _loss(head, logits[~part], observed[~part], _best(head, logits[part], observed[part]))
        * (~part).mean()
        for part in (half, ~half)
    )
    if not judged < before:
        return Calibration(1.0, before, before)
    temperature = _best(head, logits, observed)
    return Calibration(temperature, before, float(judged))


def _best(head: Head, logits: np.ndarray, observed: np.ndarray) -> float:
    found = minimize_scalar(
        lambda log: _loss(head, logits, observed, float(np.exp(log))),
        bounds=_RANGE,
        method="bounded",
        options={"maxiter": 20},
    )
    return float(np.exp(found.x))


def _loss(head: Head, logits: np.ndarray, observed: np.ndarray, temperature: float) -> float:
    return score("log_loss", head, observed, apply_finish(np, head, Finish(temperature=temperature), logits))
