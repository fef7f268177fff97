"""Read an ONNX file that holds all of its weights: weights elsewhere could be any file of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from composable.core.errors import ArtifactError
from composable.core.optional import optional

FILE_BYTES = 2 * 2**30


def read_onnx(path: Path) -> Any:
    """The file as an `onnx.ModelProto`; nothing beside the file is opened.

    Raises:
        ArtifactError: If it's no ONNX file, or any tensor of it lies elsewhere.
    """
    onnx = optional("onnx", extra="onnx")
    if path.is_symlink() or not path.is_file() or path.stat().st_size > FILE_BYTES:
        raise _refusal(path, f"no plain file of at most {FILE_BYTES} bytes")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except Exception as broken:  # protobuf's DecodeError has no stable home
        raise _refusal(path, f"no readable ONNX ({broken})") from broken
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise _refusal(path, f"the tensor {tensor.name[:100]!r} lies in another file")
    return model


def _tensors(model: Any) -> Iterator[Any]:
    graphs = [model.graph, *model.functions, *(info.algorithm for info in model.training_info)]
    graphs += [info.initialization for info in model.training_info]
    while graphs:
        graph = graphs.pop()
        yield from getattr(graph, "initializer", ())
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield from (sparse.values, sparse.indices)
        for attribute in (
            *getattr(graph, "attribute_proto", ()),
            *(a for node in graph.node for a in node.attribute),
        ):
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs += [inner for inner in (attribute.g, *attribute.graphs) if inner.node or inner.initializer]


def _refusal(path: Path, found: str) -> ArtifactError:
    return ArtifactError(
        "An ONNX file must hold all of its weights itself.",
        received=f"{path}: {found}",
        remedy="export it again with Composable, or without external data",
    )
