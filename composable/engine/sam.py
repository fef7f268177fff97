"""Sharpness-aware minimization: the gradient is taken where the loss nearby is worst (Foret et al. 2021).

"Sharpness-Aware Minimization for Efficiently Improving Generalization", arXiv:2010.01412, equation 2 with
p = 2. A step takes the gradient twice, at the weights and where these are `perturbed`; the second one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops


def perturbed(parameters: Sequence[Any], gradients: Sequence[Any], radius: Any) -> list[Any]:
    """The parameters moved uphill: w + radius · g / ‖g‖, the norm being that of all gradients together.

    Args:
        parameters: Arrays of any shapes.
        gradients: Of the loss at these parameters, shapes alike. Where all are zero, nothing moves.
        radius: Rho, in the units of the parameters; a number or a scalar array. The paper takes 0.05 for
            CIFAR-10 and 0.1 for CIFAR-100.
    """
    squares: Any = ops.stack([ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients])
    total: Any = ops.sum(squares)
    # A square root of zero would do no harm here, but its division would.
    scale = radius / ops.sqrt(ops.where(total > 0, total, ops.ones_like(total)))
    return [
        parameter + ops.cast(scale * ops.cast(gradient, "float32"), parameter.dtype)
        for parameter, gradient in zip(parameters, gradients, strict=True)
    ]
