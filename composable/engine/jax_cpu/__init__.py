"""Layers that compute what Keras's do, faster where JAX runs on a CPU. Only imported there."""

from __future__ import annotations

from typing import Any

from keras import activations, layers

from composable.engine.jax_cpu import closed_gradients, convolution, depthwise, max_pooling

REPLACEMENTS: dict[type, type] = {
    layers.Activation: closed_gradients.Activation,
    layers.BatchNormalization: closed_gradients.BatchNormalization,
    layers.Conv1D: convolution.Conv1D,
    layers.Conv2D: convolution.Conv2D,
    layers.Conv3D: convolution.Conv3D,
    layers.Conv1DTranspose: convolution.Conv1DTranspose,
    layers.Conv2DTranspose: convolution.Conv2DTranspose,
    layers.Conv3DTranspose: convolution.Conv3DTranspose,
    layers.DepthwiseConv1D: depthwise.DepthwiseConv1D,
    layers.DepthwiseConv2D: depthwise.DepthwiseConv2D,
    layers.SeparableConv1D: depthwise.SeparableConv1D,
    layers.SeparableConv2D: depthwise.SeparableConv2D,
    layers.MaxPooling1D: max_pooling.MaxPooling1D,
    layers.MaxPooling2D: max_pooling.MaxPooling2D,
    layers.MaxPooling3D: max_pooling.MaxPooling3D,
}
"""The class of a training copy for each of Keras's."""

TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)


def covers(layer: Any) -> bool:
    """Whether the replacement computes what this layer does: channels last, and no rare option."""
    if isinstance(layer, layers.Activation):
        return layer.activation is activations.gelu
    if isinstance(layer, layers.BatchNormalization):
        return layer.axis == -1 and not layer.renorm
    if isinstance(layer, TRANSPOSED) and (layer.output_padding is not None or max(layer.dilation_rate) > 1):
        return False
    return layer.data_format == "channels_last"
