"""Pooling as onnxruntime takes it.

The converter writes pooling over (rows, height, width, channels) as one over four axes, two of them by ones.
onnxruntime pools over three at most, behind the channels.
"""

from __future__ import annotations

from typing import Any

from composable.core.optional import optional

_KINDS = ("MaxPool", "AveragePool", "LpPool")
_LEADING = "composable/leading_axes"


def with_plain_pooling(model: Any) -> Any:
    """The ONNX model with every such pooling between two transpositions, over height and width alone."""
    onnx = optional("onnx", extra="onnx")
    nodes = []
    for node in model.graph.node:
        nodes += _plain(node, onnx) if _over_four(node) else [node]
    if len(nodes) > len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.append(onnx.helper.make_tensor(_LEADING, onnx.TensorProto.INT64, [2], [0, 1]))
    return model


def _over_four(node: Any) -> bool:
    kernel = _integers(node, "kernel_shape")
    return node.op_type in _KINDS and len(kernel) == 4 and kernel[0] == kernel[3] == 1


def _plain(node: Any, onnx: Any) -> list[Any]:
    make = onnx.helper.make_node
    taken, made = node.input[0], node.output[0]
    inner = [f"{made}/{step}" for step in ("squeezed", "channels_first", "pooled", "channels_last")]
    pooling = make(node.op_type, [inner[1]], [inner[2]], name=node.name)
    for attribute in node.attribute:
        kept = onnx.AttributeProto()
        kept.CopyFrom(attribute)
        if len(attribute.ints) in (4, 8):  # one per axis, or where it begins and where it ends
            del kept.ints[:]
            kept.ints.extend(attribute.ints[i] for i in range(len(attribute.ints)) if i % 4 in (1, 2))
        pooling.attribute.append(kept)
    return [
        make("Squeeze", [taken, _LEADING], [inner[0]], name=f"{node.name}/squeeze"),
        make("Transpose", [inner[0]], [inner[1]], name=f"{node.name}/first", perm=[0, 3, 1, 2]),
        pooling,
        make("Transpose", [inner[2]], [inner[3]], name=f"{node.name}/last", perm=[0, 2, 3, 1]),
        make("Unsqueeze", [inner[3], _LEADING], [made], name=f"{node.name}/unsqueeze"),
    ]


def _integers(node: Any, name: str) -> list[int]:
    return next((list(one.ints) for one in node.attribute if one.name == name), [])
