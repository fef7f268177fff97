"""What a model costs before anyone trains it: parameters, multiply-adds, memory.

Multiply-adds are counted as in papers: those of matrix products and convolutions, and nothing else. A
multiplication and the addition of its result count as one. Biases, normalizations, activations, poolings and
look-ups count nothing; nor does a layer of one's own, whose inside Keras can't see.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from composable.design.graph import Applied, Tensor, applied, computation

FREE = 128  # stands for a size that is left free
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """What a model costs; all but the weights for one row.

    Attributes:
        parameters: Numbers that are stored, those of shared layers once.
        trainable: Those that training changes.
        multiply_adds: Of matrix products and convolutions, once per application.
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


def multiply_adds(done: Applied) -> int:
    """The multiply-adds of one operation on one row."""
    for kinds, count in _LAYERS:
        if isinstance(done.operation, kinds):
            return count(done)
    count = _OPERATIONS.get(type(done.operation).__name__)
    return count(done) if count else 0


def einsum(equation: str, *shapes: Shape) -> int:
    """Of a product like `ab,bc->ac`: every combination of its indices, once per factor but the first."""
    factors = equation.replace(" ", "").partition("->")[0].split(",")
    sizes: dict[str, int] = {}
    for indices, shape in zip(factors, shapes, strict=True):
        for index, size in zip(_indices(indices, len(shape)), shape, strict=True):
            sizes[index] = max(size, sizes.get(index, 1))  # a size of 1 is stretched to the other's
    return math.prod(sizes.values()) * (len(shapes) - 1)


def _indices(written: str, rank: int) -> list[str]:
    """Each index by name; those behind an ellipsis counted from its end, where factors meet."""
    before, ellipsis, after = written.partition("...")
    unnamed = rank - len(before) - len(after) if ellipsis else 0
    return [*before, *(f"...{number}" for number in range(unnamed, 0, -1)), *after]


def _outputs(done: Applied) -> int:
    """Numbers that come out: positions times channels, wherever the channels stand.

    Of one row; but operations may have joined the rows with the positions, so every size counts.
    """
    return math.prod(done.outputs[0].shape)


def _dense(done: Applied) -> int:
    return _outputs(done) * _shape(done, "kernel")[0]


def _einsum_dense(done: Applied) -> int:
    operation: Any = done.operation
    return einsum(operation.equation, done.inputs[0].shape, _shape(done, "kernel"))


def _convolution(done: Applied) -> int:
    return _outputs(done) * math.prod(_shape(done, "kernel")[:-1])  # window and channels of one group


def _transposed(done: Applied) -> int:
    return math.prod(done.inputs[0].shape) * math.prod(_shape(done, "kernel")[:-1])


def _depthwise(done: Applied) -> int:
    return _outputs(done) * math.prod(_shape(done, "kernel")[:-2])


def _separable(done: Applied) -> int:
    pointwise = _shape(done, "pointwise_kernel")
    positions = _outputs(done) // pointwise[-1]
    return positions * (math.prod(_shape(done, "depthwise_kernel")) + math.prod(pointwise))


def _recurrent(done: Applied) -> int:
    """Each matrix of the cell once per step; of a convolutional one, once per step and position."""
    operation: Any = done.operation
    steps = math.prod(done.inputs[0].shape[:2])
    cells = getattr(operation.cell, "cells", [operation.cell])
    total = 0
    for cell in cells:
        for name in ("kernel", "recurrent_kernel"):
            kernel = getattr(cell, name, None)
            if kernel is not None:
                shape = done.outputs[0].shape
                positions = shape[-1 - (len(kernel.shape) - 2) : -1]
                total += math.prod(kernel.shape) * math.prod(positions)
    return steps * total


def _both_directions(done: Applied) -> int:
    operation: Any = done.operation
    ways = (operation.forward_layer, operation.backward_layer)
    return sum(_of(way, done.inputs[0]) for way in ways)


def _every_step(done: Applied) -> int:
    operation: Any = done.operation
    rows, steps, *rest = done.inputs[0].shape
    return steps * _of(operation.layer, Tensor((rows, *rest), done.inputs[0].dtype))


def _of(operation: Any, x: Tensor) -> int:
    return sum(multiply_adds(each) for each in applied(operation, x))


def _multi_head(done: Applied) -> int:
    """The four projections, queries times keys, and weights times values."""
    operation: Any = done.operation
    query, key, value = _attended(done)
    projections = (
        _positions(query) * math.prod(operation.query_dense.kernel.shape)
        + _positions(key) * math.prod(operation.key_dense.kernel.shape)
        + _positions(value) * math.prod(operation.value_dense.kernel.shape)
        + _positions(query) * math.prod(operation.output_dense.kernel.shape)
    )
    axes = operation.get_config()["attention_axes"] or range(1, len(key.shape) - 1)
    seen = math.prod(key.shape[axis] for axis in axes)
    width = operation.num_heads * (operation.key_dim + operation.value_dim)
    return projections + _positions(query) * seen * width


def _grouped_query(done: Applied) -> int:
    operation: Any = done.operation
    query, key, value = _attended(done)
    heads = operation.num_query_heads * operation.head_dim
    shared = operation.num_key_value_heads * operation.head_dim
    return (
        _positions(query) * heads * (query.shape[-1] + done.outputs[0].shape[-1])
        + _positions(key) * shared * key.shape[-1]
        + _positions(value) * shared * value.shape[-1]
        + 2 * _positions(query) * math.prod(key.shape[1:-1]) * heads
    )


def _attended(done: Applied) -> tuple[Tensor, Tensor, Tensor]:
    call: Any = getattr(done.operation, "call")  # noqa: B009 (Keras declares it per layer)
    arguments = inspect.signature(call).bind(*done.arguments, **done.keywords).arguments
    value = arguments["value"]
    key = arguments.get("key")
    return arguments["query"], value if key is None else key, value


def _positions(x: Tensor) -> int:
    return math.prod(x.shape[:-1])


def _attention(done: Applied) -> int:
    query, value = done.inputs[:2]
    return _positions(query) * math.prod(value.shape[1:-1]) * (query.shape[-1] + value.shape[-1])


def _dot(done: Applied) -> int:
    operation: Any = done.operation
    axis = operation.axes if isinstance(operation.axes, int) else operation.axes[0]
    return _outputs(done) * done.inputs[0].shape[axis]


def _matmul(done: Applied) -> int:
    first: Any = done.arguments[0]
    return math.prod(done.outputs[0].shape) * tuple(first.shape)[-1]


def _einsum(done: Applied) -> int:
    operation: Any = done.operation
    return einsum(operation.subscripts, *(tuple(each.shape) for each in done.arguments))


def _shape(done: Applied, weight: str) -> Shape:
    return tuple(getattr(done.operation, weight).shape)


_LAYERS: tuple[tuple[Any, Callable[[Applied], int]], ...] = (
    (layers.Dense, _dense),
    (layers.EinsumDense, _einsum_dense),
    ((layers.Conv1D, layers.Conv2D, layers.Conv3D), _convolution),
    ((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _transposed),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _depthwise),
    ((layers.SeparableConv1D, layers.SeparableConv2D), _separable),
    (layers.MultiHeadAttention, _multi_head),
    (layers.GroupQueryAttention, _grouped_query),
    ((layers.Attention, layers.AdditiveAttention), _attention),
    (layers.Dot, _dot),
    (layers.Bidirectional, _both_directions),
    (layers.TimeDistributed, _every_step),
    (layers.RNN, _recurrent),
)
_OPERATIONS: dict[str, Callable[[Applied], int]] = {"Matmul": _matmul, "Einsum": _einsum}
