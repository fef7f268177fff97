"""Images as they are, to be made again from a narrow or sparse encoding."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from composable.design.metaparameters import Count
from composable.design.part import component
from composable.training.stages.pretrain.images import images_of
from composable.training.stages.pretrain.pretext import Pretext, Unlabeled
from composable.training.stages.pretrain.reconstruction import reconstruction

Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@component
def autoencoding(
    x: Unlabeled, *, sparsity: Penalty = 1e-4, reads: str = "encoding", width: Count = 32
) -> Pretext:
    """The image itself is asked for; the encoding pays for what isn't zero.

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
