"""Networks averaged within one Keras graph: their probabilities or numbers, weighted.

Also a network that looks at images twice: as they are, and mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from composable.design.taps import named
from composable.problem.postprocessing import PostProcessing, final_answers, postprocess


@dataclass(frozen=True, eq=False)
class EnsembleMember:
    """One network in the average: its logits per head, the last step of each, and its weight."""

    network: keras.Model
    postprocessing: tuple[PostProcessing, ...]
    weight: float = 1.0


def average(members: Sequence[EnsembleMember], final: Sequence[PostProcessing] = ()) -> keras.Model:
    """One functional model of stock layers: raw inputs in; per head probabilities or numbers out, as a list.

    Weights are normalized to sum to one. The networks become its layers `network_0`, `network_1`, ...; what
    the model gives is its tap `probabilities`, with several heads `head_0/probabilities` and so on.

    Args:
        members: The networks.
        final: The last step of each head after averaging, see `final_answers`; none by default.
    """
    total = sum(member.weight for member in members)
    first = members[0].network
    inputs = {
        tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)
        for tensor in first.inputs
    }
    sums: dict[int, Any] = {}  # per head
    for number, member in enumerate(members):
        member.network.name = f"network_{number}"
        for head, logits in enumerate(keras.tree.flatten(member.network(inputs))):
            share = postprocess(ops, member.postprocessing[head], logits) * (member.weight / total)
            sums[head] = sums[head] + share if head in sums else share
    for head, step in enumerate(final):
        sums[head] = final_answers(ops, step, sums[head])
    tasks = [""] if len(sums) == 1 else [f"head_{head}" for head in sums]
    outputs = [
        layers.Identity(name=named(task, "probabilities"))(output)
        for task, output in zip(tasks, sums.values(), strict=True)
    ]
    return keras.Model(inputs, outputs)


def start_from_zeros(network: keras.Model) -> None:
    """The file brings the weights: drawing random ones first would be most of the time that loading takes."""
    for layer in network.layers:
        for name in ("kernel_initializer", "embeddings_initializer"):
            if hasattr(layer, name):
                setattr(layer, name, keras.initializers.Zeros())


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
