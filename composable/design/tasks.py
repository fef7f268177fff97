"""Tasks: what the architecture is asked to predict, one per head, with the taps `logits` and `probabilities`.

The learner gives one vector per row, or one per member of an ensemble inside the network (TabM); then every
member has weights of its own and the members' probabilities are averaged.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design.part import component


@component
def regressor(x: Any, *, head: int = 0) -> Any:
    """One number, in units of the standardised target (the seed's first design: one linear node)."""
    return _averaged(_logits(x, 1, head), head)


@component
def binary_classifier(x: Any, *, head: int = 0) -> Any:
    """The probability of the second of two classes: one sigmoid node."""
    return _averaged(layers.Activation("sigmoid")(_logits(x, 1, head)), head)


@component
def multi_label_classifier(x: Any, *, labels: int, head: int = 0) -> Any:
    """Several probabilities at once that don't exclude each other: a sigmoid per label."""
    return _averaged(layers.Activation("sigmoid")(_logits(x, labels, head)), head)


@component
def classifier(x: Any, *, classes: int, head: int = 0) -> Any:
    """The probabilities of classes that exclude each other: softmax."""
    return _averaged(layers.Activation("softmax")(_logits(x, classes, head)), head)


def _logits(x: Any, width: int, head: int) -> Any:
    name = f"head_{head}_logits"
    if len(x.shape) == 2:
        return layers.Dense(width, name=name)(x)
    members = int(x.shape[1])
    return layers.EinsumDense("bkd,kdo->bko", (members, width), bias_axes="ko", name=name)(x)


def _averaged(outputs: Any, head: int) -> Any:
    if len(outputs.shape) == 3:
        outputs = ops.mean(outputs, axis=1)
    return layers.Identity(name=f"head_{head}_probabilities")(outputs)
