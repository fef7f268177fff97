"""Drawn images whose class is known: pre-training without data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composable.core.errors import DataError
from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.losses import categorical_cross_entropy
from composable.engine.objective import Goal
from composable.engine.rows import Rows
from composable.training.stages.pretrain.images import images_of
from composable.training.stages.pretrain.jigsaw import classes_head
from composable.training.stages.pretrain.pretext import Pretext, Unlabeled, attached
from composable.training.stages.pretrain.shapes import SHAPES, drawn


@component
def synthetic(
    x: Unlabeled, *, images: Count = 2000, watched: Count = 400, reads: str = "embedding"
) -> Pretext:
    """Which of eight shapes an image shows; of the user's images only size and range of pixels are taken.

    Args:
        x: The rows.
        images: How many are drawn to learn from.
        watched: How many are drawn to watch.
        reads: The tap from which the shape is predicted.

    Raises:
        DataError: If the network takes anything beside images.
    """
    if len(x.inputs) != 1:
        raise DataError(
            "Images are drawn for networks that take images alone.",
            received=f"inputs: {', '.join(x.inputs)}"[:200],
        )
    own, rng = images_of(x), np.random.default_rng(x.seed)
    classes = rng.integers(len(SHAPES), size=images + watched)
    pixels = own.from_unit(drawn(classes, own.shape, rng))

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return float(np.mean(outputs[0].argmax(axis=-1) == classes[numbers]))

    return Pretext(
        attach=lambda network: attached(network, reads, lambda x: classes_head(x, len(SHAPES))),
        goals=(Goal(categorical_cross_entropy, categorical_cross_entropy),),
        rows=Rows({own.name: pixels}, (classes[:, None].astype("int32"),)),
        train=np.arange(images),
        held_out=np.arange(images, images + watched),
        epochs=x.epochs,
        figure="accuracy",
        chance=1.0 / len(SHAPES),
        score=score,
    )
