"""Transposed convolution as a plain one to several positions at once: XLA:CPU is slow in its own."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax
from keras import layers, ops

from composable.engine.jax_cpu.convolution import to_strided_input
from composable.engine.jax_cpu.windows import Sizes, padded_after


def transpose_convolve(x: Any, kernel: Any, *, strides: Sizes, padding: str) -> Any:
    """The transpose of a convolution, as TensorFlow pads it.

    Args:
        x: (rows, *sizes, channels).
        kernel: (*sizes, filters, channels).
        strides: One per axis.
        padding: "same": sizes times strides; "valid": whatever the kernel reaches.

    Returns:
        (rows, *sizes, filters).
    """
    found = to_strided_input(x, kernel, strides)
    for axis, (size, stride) in enumerate(zip(x.shape[1:-1], strides, strict=True), 1):
        beyond = max(kernel.shape[axis - 1] - stride, 0)
        before, wanted = (beyond // 2, size * stride) if padding == "same" else (0, size * stride + beyond)
        found = lax.slice_in_dim(found, before, min(before + wanted, found.shape[axis]), axis=axis)
        found = padded_after(found, axis, wanted - found.shape[axis])
    return found


class _Replacement:
    """Keras's transposed convolution, computed by `transpose_convolve`."""

    kernel: Any
    bias: Any
    strides: Sizes
    padding: str
    activation: Any

    def call(self, inputs: Any) -> Any:
        """Keras's, but for the convolution."""
        kernel = jnp.asarray(ops.convert_to_tensor(self.kernel))
        x = jnp.asarray(inputs, kernel.dtype)
        outputs = transpose_convolve(x, kernel, strides=self.strides, padding=self.padding)
        if self.bias is not None:
            outputs = outputs + jnp.asarray(ops.convert_to_tensor(self.bias), outputs.dtype)
        return outputs if self.activation is None else self.activation(outputs)


class Conv1DTranspose(_Replacement, layers.Conv1DTranspose):
    """Over sequences."""


class Conv2DTranspose(_Replacement, layers.Conv2DTranspose):
    """Over images."""


class Conv3DTranspose(_Replacement, layers.Conv3DTranspose):
    """Over volumes."""
