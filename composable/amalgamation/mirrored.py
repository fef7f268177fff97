"""A network that looks at images twice: as they are, and mirrored."""

from __future__ import annotations

import keras
from keras import ops


def mirrored(network: keras.Model) -> keras.Model:
    """The mean of the logits of both views (test-time augmentation).

    Jordan 2024, arXiv:2404.00498, section 3.5. Logits of every pixel are mirrored back first.

    Args:
        network: From inputs by name, `images` (rows, height, width, channels) among them, to logits.
    """
    inputs = {
        tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)
        for tensor in network.inputs
    }
    turned = {**inputs, "images": ops.flip(inputs["images"], axis=2)}
    logits = keras.tree.flatten(network(turned))
    logits = [ops.flip(one, axis=2) if len(one.shape) == 4 else one for one in logits]
    both = zip(keras.tree.flatten(network(inputs)), logits, strict=True)
    outputs = [ops.multiply(ops.add(one, other), 0.5) for one, other in both]
    return keras.Model(inputs, outputs[0] if len(outputs) == 1 else outputs)
