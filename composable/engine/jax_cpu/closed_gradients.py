"""Batch normalization and GELU, with gradients in closed form.

Of batch normalization that makes fewer passes over the values than `jax.grad` does. Ioffe & Szegedy 2015,
"Batch Normalization", arXiv:1502.03167, algorithm 1 and the chain rule of section 3.

The Gaussian error linear unit is computed by the error function: XLA:CPU is far slower in erfc, which Keras
takes. Hendrycks & Gimpel 2016, "Gaussian Error Linear Units (GELUs)", arXiv:1606.08415.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from keras import layers, ops


@jax.custom_vjp
def normalize(x: Any, scale: Any, shift: Any, mean: Any, inverse: Any) -> Any:
    """The values without their mean, over their deviation, scaled and shifted.

    `mean` and `inverse` must be those of `x`. They get no slope: that of `x` takes in what `x` does to them.

    Args:
        x: (..., channels).
        scale: (channels,).
        shift: (channels,).
        mean: Of each channel, (channels,).
        inverse: One over the root of variance and epsilon, (channels,).
    """
    factor = inverse * scale
    return x * factor + (shift - mean * factor)


def _forward(x: Any, scale: Any, shift: Any, mean: Any, inverse: Any) -> Any:
    return normalize(x, scale, shift, mean, inverse), (x, scale, mean, inverse)


def _backward(kept: Any, slope: Any) -> Any:
    x, scale, mean, inverse = kept
    axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    to_shift = jnp.sum(slope, axes)
    to_scale = jnp.sum(slope * (x - mean), axes) * inverse
    # factor (slope - to_shift / count - normalized to_scale / count), what belongs to a channel gathered
    factor = scale * inverse
    to_x = slope * factor - (x - mean) * (factor * inverse * to_scale / count) - factor * to_shift / count
    return to_x, to_scale, to_shift, jnp.zeros_like(mean), jnp.zeros_like(inverse)


normalize.defvjp(_forward, _backward)


class BatchNormalization(layers.BatchNormalization):
    """Keras's, but for the gradient while training without a mask."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Keras's, with `normalize` where the moments are those of the inputs."""
        if not (training and self.trainable) or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        x = jnp.asarray(inputs, jnp.promote_types(inputs.dtype, "float32"))
        axes = tuple(range(x.ndim - 1))
        fixed = lax.stop_gradient(x)
        mean, variance = jnp.mean(fixed, axes), jnp.var(fixed, axes)
        followed: Any = ((self.moving_mean, mean), (self.moving_variance, variance))
        for moving, seen in followed:
            moving.assign(moving * self.momentum + seen * (1.0 - self.momentum))
        scale = jnp.ones_like(mean) if self.gamma is None else ops.convert_to_tensor(self.gamma)
        shift = jnp.zeros_like(mean) if self.beta is None else ops.convert_to_tensor(self.beta)
        outputs = normalize(x, scale, shift, mean, lax.rsqrt(variance + self.epsilon))
        return ops.cast(outputs, self.compute_dtype)


@jax.custom_vjp
def gelu(x: Any) -> Any:
    """Every value times the standard normal distribution's share below it."""
    return x * (0.5 * lax.erf(x * sqrt(0.5)) + 0.5)


def _gelu_forward(x: Any) -> Any:
    return gelu(x), x


def _gelu_backward(x: Any, slope: Any) -> Any:
    density = jnp.exp(-0.5 * x * x) * (1 / sqrt(2 * pi))
    # Computed anew from the other side, or XLA would take it for the forward pass's and keep that in memory.
    share_below = 0.5 - 0.5 * lax.erf(x * -sqrt(0.5))
    return (slope * (share_below + x * density),)


gelu.defvjp(_gelu_forward, _gelu_backward)


class Activation(layers.Activation):
    """Keras's layer where its function is GELU."""

    def call(self, inputs: Any) -> Any:
        """Keras's, by `gelu`."""
        return gelu(jnp.asarray(inputs))
