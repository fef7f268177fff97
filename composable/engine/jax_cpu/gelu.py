"""The Gaussian error linear unit by the error function: XLA:CPU is far slower in erfc, which Keras takes.

Hendrycks & Gimpel 2016, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from keras import layers


@jax.custom_vjp
def gelu(x: Any) -> Any:
    """Every value times the standard normal distribution's share below it."""
    return x * (0.5 * lax.erf(x * sqrt(0.5)) + 0.5)


def _forward(x: Any) -> Any:
    return gelu(x), x


def _backward(x: Any, slope: Any) -> Any:
    density = jnp.exp(-0.5 * x * x) * (1 / sqrt(2 * pi))
    # Computed anew from the other side, or XLA would take it for the forward pass's and keep that in memory.
    share_below = 0.5 - 0.5 * lax.erf(x * -sqrt(0.5))
    return (slope * (share_below + x * density),)


gelu.defvjp(_forward, _backward)


class Activation(layers.Activation):
    """Keras's layer where its function is GELU."""

    def call(self, inputs: Any) -> Any:
        """Keras's, by `gelu`."""
        return gelu(jnp.asarray(inputs))
