"""What the tasks share that show a network an altered image, with the original as target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
from keras import layers
from pydantic import Field

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.engine.losses import squared_error
from composable.engine.objective import Goal
from composable.training.stages.pretrain.decoder import image_decoder
from composable.training.stages.pretrain.images import Images, images_of
from composable.training.stages.pretrain.pretext import Arrays, Pretext, Unlabeled, attached, corrupted

Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Alter = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Images of pixels from 0 to 1 to others of that shape."""


def reconstruction(
    x: Unlabeled, images: Images, alter: Alter, *, reads: str, width: int, sparsity: float = 0.0
) -> Pretext:
    """A pretext with the squared error between the original and what a decoder makes of the encoding.

    The original is taken as its distance from the mean training image, in standard deviations: an error of
    about 1 is that of a network that has learned nothing.

    Args:
        x: The rows.
        images: Those among the inputs that are altered; others pass as they are.
        alter: How.
        reads: The tap that is decoded.
        width: Channels of the decoder's convolutions.
        sparsity: Of the L1 penalty on the tap.
    """

    def corrupt(clean: Arrays, rng: np.random.Generator) -> tuple[Arrays, tuple[np.ndarray, ...]]:
        original = images.to_unit(clean[images.name])
        altered = images.from_unit(alter(original, rng))
        target = (original - images.mean) / images.deviation
        return {**clean, images.name: altered}, (target.astype("float16"),)

    def head(encoding: Any) -> Any:
        if sparsity:
            encoding = layers.ActivityRegularization(l1=sparsity)(encoding)
        return image_decoder(encoding, shape=images.shape, width=width)

    copies = corrupted(x, corrupt)
    targets = copies.rows.targets[0]

    def score(outputs: Sequence[np.ndarray], numbers: np.ndarray) -> float:
        return _error(outputs[0], targets[numbers])

    return Pretext(
        attach=lambda network: attached(network, reads, head),
        goals=(Goal(squared_error, squared_error),),
        rows=copies.rows,
        train=copies.train,
        held_out=copies.held_out,
        epochs=copies.epochs,
        figure="squared error",
        chance=_error(np.float32(0.0), targets[copies.held_out]),
        score=score,
    )


def _error(said: np.ndarray | np.float32, targets: np.ndarray) -> float:
    """The mean squared error; 0 where there is no row."""
    return float(np.sum((said - targets.astype("float32")) ** 2, dtype="float64") / max(targets.size, 1))


@component
def autoencoding(
    x: Unlabeled, *, sparsity: Penalty = 1e-4, reads: str = "encoding", width: Count = 32
) -> Pretext:
    """The target is the image itself; what isn't zero in the encoding adds to the loss.

    Ng 2011, "Sparse autoencoder" (CS294A lecture notes), with the L1 penalty that has become usual.

    Args:
        x: The rows.
        sparsity: Of the L1 penalty on the encoding, summed over a row.
        reads: The tap that is decoded.
        width: Channels of the decoder's convolutions.
    """
    return reconstruction(
        x, images_of(x), lambda pixels, _: pixels, reads=reads, width=width, sparsity=sparsity
    )
