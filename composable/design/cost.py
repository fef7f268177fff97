"""What a model costs before anyone trains it: parameters, multiply-adds, memory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from composable.design.graph import Applied, Tensor, computation
from composable.design.multiply_adds import multiply_adds

FREE = 128


@dataclass(frozen=True)
class Cost:
    """What a model costs; all but the weights for one row.

    Attributes:
        parameters: Numbers that are stored, those of shared layers once.
        trainable: Those that training changes.
        multiply_adds: Of matrix products and convolutions, once per application; see `multiply_adds.py`.
        bytes: Of the weights.
        activation_bytes: Of what has to be remembered at the same time while predicting, at most.
        training_bytes: Of all activations, which training remembers for the way back.
    """

    parameters: int
    trainable: int
    multiply_adds: int
    bytes: int
    activation_bytes: int
    training_bytes: int


def cost(model: keras.Model, *, free: int = FREE) -> Cost:
    """What a functional model costs, without running it.

    Activations are counted as if every operation wrote its result to memory of its own, in Keras's order; a
    compiler joins some of them. What a layer needs inside alone (attention its weights) isn't seen.

    Args:
        model: Built, or outlined.
        free: How large a dimension is taken to be that the model leaves free (the length of a text).

    Raises:
        ConfigError: If the model isn't functional.
    """
    outputs, done = computation(model, free=free)
    taken = {id(x): x for each in done for x in each.inputs}
    made = {id(y): y for each in done for y in each.outputs}
    return Cost(
        parameters=_count(model.weights),
        trainable=_count(model.trainable_weights),
        multiply_adds=sum(multiply_adds(each) for each in done),
        bytes=sum(math.prod(weight.shape) * _width(weight.dtype) for weight in model.weights),
        activation_bytes=_peak(done, outputs),
        training_bytes=sum(_bytes(tensor) for tensor in {**taken, **made}.values()),
    )


def _peak(done: Sequence[Applied], outputs: Iterable[Tensor]) -> int:
    """A tensor lives from the operation that gives it, or from the start, to the last that takes it."""
    last = {id(x): number for number, each in enumerate(done) for x in each.inputs}
    last.update((id(y), len(done)) for y in outputs)
    made = {id(y) for each in done for y in each.outputs}
    alive = {id(x): _bytes(x) for each in done for x in each.inputs if id(x) not in made}
    highest = sum(alive.values())
    for number, each in enumerate(done):
        alive.update((id(y), _bytes(y)) for y in each.outputs)
        highest = max(highest, sum(alive.values()))
        for x in (*each.inputs, *each.outputs):
            if last.get(id(x), number) <= number:
                alive.pop(id(x), None)
    return highest


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def _bytes(tensor: Tensor) -> int:
    return math.prod(tensor.shape) * _width(tensor.dtype)


def _width(dtype: str) -> int:
    """Bytes of one number: of float32 4, of float8_e4m3fn 1, of bool 1."""
    bits = re.search(r"\d+", dtype)
    return max(1, int(bits.group()) // 8) if bits else 1
