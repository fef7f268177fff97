"""The numeric network as an ONNX graph, converted by Keras on JAX (jax2onnx), here or in a child process.

On other backends than JAX a child process does it, since a backend can't be changed once Keras is
imported. `python -m composable.deploy.onnx_numeric BUNDLE FILE` is that child.

Two things are written otherwise than jax2onnx 0.17 would. Whole numbers in float arithmetic become floats,
since it computes `x + 2` in double precision: it promotes as NumPy does (float32 with int32 gives
float64), where JAX and Keras stay with float32. And it writes pooling over (rows, height, width, channels)
as one over four axes, two of them by ones, where onnxruntime pools over three at most, behind the
channels.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from composable.core.errors import ArtifactError, ComposableError
from composable.core.packages import optional
from composable.deploy.bundle import MODEL, Bundle, load_bundle
from composable.deploy.safe_load import checked_members, model_from_bytes
from composable.design.keras_configuration import walk

OPSET = 20  # the first with StringSplit; onnxruntime 1.17 and later reads it
_SECONDS = 600
_ARITHMETIC = {
    *(
        "Add",
        "Subtract",
        "Multiply",
        "Divide",
        "TrueDivide",
        "FloorDivide",
        "Mod",
        "Power",
        "Maximum",
        "Minimum",
    ),
    *("Where", "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Clip"),
}
_KINDS = ("MaxPool", "AveragePool", "LpPool")
_LEADING = "composable/leading_axes"


def write_numeric(bundle: Bundle, path: Path) -> None:
    """Write the network without its string tables; inputs and outputs as `bundle.model` has them.

    Raises:
        SetupError: If the converter isn't installed.
        ArtifactError: If the converter refuses the network; names the operation.
    """
    for module in ("onnx", "onnxruntime", "jax2onnx"):
        optional(module, extra="onnx")
    if keras.backend.backend() == "jax":
        content = _with_float_constants(bundle.files[MODEL], MODEL)
        convert(model_from_bytes(content, MODEL), path)
    else:
        _in_child(bundle, path)


def convert(model: keras.Model, path: Path) -> None:
    """Convert on JAX, in this process.

    Raises:
        ArtifactError: Naming the operation that has no counterpart.
    """
    zeros = keras.tree.map_structure(
        lambda tensor: keras.ops.zeros((2, *tensor.shape[1:]), tensor.dtype), model.input
    )
    try:
        with _silence():
            model(zeros)  # Keras exports only models that were called
            model.export(path, format="onnx", verbose=False, opset_version=OPSET)
    except Exception as refused:  # the converter has no error type of its own
        raise ArtifactError(
            "Every operation of the network must have an ONNX counterpart.",
            received=f"{type(refused).__name__}: {str(refused)[:300]}",
            remedy="export with --format keras, or fit again without that layer",
        ) from refused


def _in_child(bundle: Bundle, path: Path) -> None:
    command = [sys.executable, "-m", "composable.deploy.onnx_numeric", str(bundle.origin), str(path)]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        failure = "" if done.returncode == 0 else done.stderr[-500:] or f"exit code {done.returncode}"
    except subprocess.TimeoutExpired:
        failure = f"no result after {_SECONDS} seconds"
    if failure:
        rule = "The network must convert to ONNX."
        raise ArtifactError(rule, received=failure, remedy="export with --format keras")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The converter prints and logs at length; nothing of it helps a user."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _with_float_constants(content: bytes, origin: str) -> bytes:
    """The same `.keras` file, each whole number that meets a float tensor written as a float."""
    members = checked_members(content, origin)
    config = json.loads(members["config.json"])
    for _, value in walk(config, origin):
        if isinstance(value, dict) and value.get("class_name") in _ARITHMETIC:
            for node in value.get("inbound_nodes", ()):
                if any(map(_is_float_tensor, node["args"])):
                    node["args"] = [float(item) if type(item) is int else item for item in node["args"]]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, member in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(name, member)
    return stream.getvalue()


def _is_float_tensor(item: Any) -> bool:
    is_tensor = isinstance(item, dict) and item.get("class_name") == "__keras_tensor__"
    return is_tensor and str(item["config"]["dtype"]).startswith("float")


def with_plain_pooling(model: Any) -> Any:
    """The ONNX model with every such pooling between two transpositions, over height and width alone."""
    onnx = optional("onnx", extra="onnx")
    nodes = []
    for node in model.graph.node:
        nodes += _pooled_between_transpositions(node, onnx) if _over_four(node) else [node]
    if len(nodes) > len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.append(onnx.helper.make_tensor(_LEADING, onnx.TensorProto.INT64, [2], [0, 1]))
    return model


def _over_four(node: Any) -> bool:
    kernel = _integers(node, "kernel_shape")
    return node.op_type in _KINDS and len(kernel) == 4 and kernel[0] == kernel[3] == 1


def _pooled_between_transpositions(node: Any, onnx: Any) -> list[Any]:
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


def _main() -> int:
    folder, path = sys.argv[1:]
    try:
        write_numeric(load_bundle(folder), Path(path))
    except ComposableError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
