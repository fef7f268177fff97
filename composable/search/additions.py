"""What may enter the deployed model: networks and bundles that held-out rows speak for."""

from __future__ import annotations

import numpy as np

_NOISE = 2.0  # standard errors
_LEAST = 0.02  # of the loss; a smaller difference is none
_NEGLIGIBLE = 1e-5  # of the constant predictor's loss: next to perfect predictions differ by rounding


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
