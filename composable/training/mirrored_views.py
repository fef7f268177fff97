"""Test-time augmentation: whether the mean of an image's and its mirrored view's logits is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from composable.engine.augmentations import flip
from composable.engine.objective import Batch, Goal, measures
from composable.engine.predict import predict
from composable.engine.rows import on_host
from composable.engine.settings import Settings
from composable.training.candidate import Arrays

_MAPS = 4  # axes of outputs that hold a value for every pixel


def knows_mirrored_views(settings: Settings) -> bool:
    """Whether training showed mirrored images."""
    return any(one.component is flip for one in settings.augment)


def with_mirrored_views(
    network: keras.Model,
    inputs: Mapping[str, np.ndarray],
    heads: Arrays,
    goals: Sequence[Goal],
    observed: Sequence[np.ndarray],
) -> tuple[Arrays, bool]:
    """The means of the logits and of those of the mirrored images, if they are better; else the logits.

    Jordan 2024, arXiv:2404.00498, section 3.5. They are compared by the measure that training stops by.

    Args:
        network: From inputs to logits.
        inputs: Of all rows that it predicts.
        heads: Its logits for them, per head.
        goals: Of the heads.
        observed: The targets of the first rows, which are held out.

    Returns:
        The logits to be kept, and whether they are the means.
    """
    outputs = predict(network, {**inputs, "images": inputs["images"][:, :, ::-1]})
    back = [one[:, :, ::-1] if one.ndim == _MAPS else one for one in outputs]  # as the images lie
    both = [(a + b) / 2 for a, b in zip(heads, back, strict=True)]
    rows = len(observed[0])
    held_out = Batch(None, tuple(observed), np.ones(rows), None)

    def measured(outputs: Arrays) -> float:
        found = measures(goals, [one[:rows] for one in outputs], held_out)
        each = [(float(on_host(total)), float(on_host(count))) for total, count in found]
        return sum(
            goal.weight * total / max(count, 1.0) for goal, (total, count) in zip(goals, each, strict=True)
        )

    return (both, True) if measured(both) < measured(heads) else (heads, False)
