"""A functional model as what it computes of one row, operation by operation, with sizes.

There may be more operations in a row than Python calls within each other: ResNet-1001, at 3,300.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from composable.core.errors import ConfigError

Tensor = keras.KerasTensor
ROOM = 20_000  # calls within each other; Keras follows a model's graph with one per operation


@dataclass(frozen=True, eq=False)
class Applied:
    """One operation (a layer, or one of `keras.ops`) applied once.

    Attributes:
        operation: What was applied; a layer that is shared appears once per application.
        arguments: Positional ones, tensors of known sizes among them.
        keywords: The others.
        outputs: All tensors that it gives.
    """

    operation: keras.Operation
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outputs: tuple[Tensor, ...]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """All tensors that it takes."""
        return tensors((self.arguments, self.keywords))


def computation(model: keras.Model, *, free: int) -> tuple[tuple[Tensor, ...], list[Applied]]:
    """What `model` computes of one row, in the order in which Keras does; models inside it included.

    Args:
        model: A functional one, or a sequential one that knows its input.
        free: The size of a dimension that its inputs leave free.

    Returns:
        The tensors it gives in the end, and everything on the way.

    Raises:
        ConfigError: If the model is no graph.
    """
    graph = _graph(model)
    if graph is None:
        raise ConfigError(
            "Only a functional model shows what it computes.",
            received=f"{type(model).__name__} {model.name!r}",
            remedy="build it with keras.Model(inputs, outputs), or give a Sequential model its keras.Input",
        )
    inputs = [Tensor((1, *(size or free for size in each.shape[1:])), each.dtype) for each in graph.inputs]
    done: list[Applied] = []
    return _follow(graph, inputs, done), done


def applied(operation: keras.Operation, *arguments: Any, **keywords: Any) -> list[Applied]:
    """An operation applied to tensors of known sizes; what it consists of, if it is a model itself."""
    done: list[Applied] = []
    _apply(operation, arguments, keywords, done)
    return done


def layers_between(inputs: Any, made: Any) -> list[keras.Layer]:
    """The layers that lead from the tensors in `inputs` to those in `made`, each once, in any order."""
    stops = {id(tensor) for tensor in tensors(inputs)}
    found: dict[int, keras.Layer] = {}
    pending = list(tensors(made))
    while pending:
        tensor = pending.pop()
        if id(tensor) in stops:
            continue
        stops.add(id(tensor))
        operation, number, _ = _history(tensor)
        if isinstance(operation, keras.Layer):
            found[id(operation)] = operation
        pending += operation._inbound_nodes[number].input_tensors  # noqa: SLF001
    return list(found.values())


def tensors(value: Any) -> tuple[Tensor, ...]:
    """The symbolic tensors in a tensor, or in tuples, lists and dicts of them."""
    return tuple(each for each in keras.tree.flatten(value) if isinstance(each, Tensor))


def _history(tensor: Any) -> tuple[Any, int, int]:
    return tensor._keras_history  # noqa: SLF001 (Keras has no other way from a tensor to its layer)


def _graph(operation: Any) -> Any:
    """The functional model that an operation is, or None."""
    inner = getattr(operation, "_functional", None) or operation
    return inner if hasattr(inner, "_nodes_by_depth") else None


def _follow(graph: Any, inputs: Sequence[Tensor], done: list[Applied]) -> tuple[Tensor, ...]:
    known = {id(name): tensor for name, tensor in zip(graph.inputs, inputs, strict=True)}
    for node in _nodes(graph):
        arguments, keywords = node.arguments.fill_in(known)
        made = _apply(node.operation, arguments, keywords, done)
        known.update((id(name), tensor) for name, tensor in zip(node.outputs, made, strict=True))
    return tuple(known[id(name)] for name in graph.outputs)


def _nodes(graph: Any) -> Iterator[Any]:
    by_depth: dict[int, Iterable[Any]] = graph._nodes_by_depth  # noqa: SLF001 (Keras's own order of computation)
    for depth in sorted(by_depth, reverse=True):
        yield from (node for node in by_depth[depth] if not node.is_input)


def _apply(operation: Any, arguments: Any, keywords: Any, done: list[Applied]) -> tuple[Tensor, ...]:
    graph = _graph(operation)
    if graph is not None:
        return _follow(graph, tensors((arguments, keywords)), done)
    made = tensors(operation.compute_output_spec(*arguments, **keywords))
    done.append(Applied(operation, tuple(arguments), dict(keywords), made))
    return made


@contextmanager
def deep_graphs() -> Iterator[None]:
    """Around whatever makes or loads a functional model; also as a decorator."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, ROOM))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
