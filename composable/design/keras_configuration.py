"""A model's `config.json`, checked against what it may name before Keras sees it.

It may name stock Keras layers and operations that need no code and no files. Keras's own `safe_mode` was
bypassed about ten times (CVE-2024-3660, CVE-2025-1550, -8747, -9906, -12058, CVE-2026-12481), each time
through a class or a function that a configuration could name. So nothing is reached but what this file lists.
To add a layer, make sure that it takes no function, no path and no code, and, if it has weights, teach
`composable.deploy.weights` to count them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from composable.core.errors import ArtifactError

# fmt: off
LAYERS = frozenset({
    "Activation", "Add", "Average", "AveragePooling1D", "AveragePooling2D", "BatchNormalization",
    "Bidirectional", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Cropping1D",
    "Cropping2D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dropout", "EinsumDense", "ELU", "Embedding",
    "Flatten", "GRU", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "Identity", "InputLayer", "LSTM", "LayerNormalization", "LeakyReLU",
    "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Normalization",
    "PReLU", "Permute", "ReLU", "Rescaling", "Reshape", "Resizing", "SeparableConv1D", "SeparableConv2D",
    "Softmax", "SpatialDropout1D", "SpatialDropout2D", "Subtract", "UpSampling1D", "UpSampling2D",
    "ZeroPadding1D", "ZeroPadding2D",
})
INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
})
OPERATIONS = {
    "keras.src.ops.core": frozenset({"Cast", "StopGradient"}),
    "keras.src.ops.math": frozenset({"Erf", "Logsumexp", "Rsqrt", "TopK"}),
    "keras.src.ops.nn": frozenset({
        "DepthToSpace", "Elu", "Gelu", "HardSigmoid", "LeakyRelu", "LogSigmoid", "LogSoftmax", "OneHot",
        "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus",
    }),
    "keras.src.ops.numpy": frozenset({
        "Abs", "Absolute", "Add", "All", "Any", "Argmax", "Argmin", "Average", "BitwiseAnd", "Ceil",
        "Clip", "Concatenate", "Cos", "Cumsum", "Divide", "Einsum", "Equal", "Exp", "ExpandDims",
        "Expm1", "Flip", "Floor", "FloorDivide", "GetItem", "Greater", "GreaterEqual", "Isfinite",
        "Isinf", "Isnan", "Less", "LessEqual", "Log", "Log1p", "Log2", "LogicalAnd", "LogicalNot",
        "LogicalOr", "Matmul", "Max", "Maximum", "Mean", "Min", "Minimum", "Mod", "Moveaxis",
        "Multiply", "NanToNum", "Negative", "NotEqual", "OnesLike", "Pad", "Power", "Prod", "Ravel",
        "Reciprocal", "Reshape", "Round", "Sign", "Sin", "Split", "Sqrt", "Square", "Squeeze",
        "Stack", "Std", "Subtract", "Sum", "Swapaxes", "Take", "TakeAlongAxis", "Tanh", "Transpose",
        "TrueDivide", "Var", "Where", "ZerosLike",
    }),
}
CLASSES = {
    "keras": frozenset({"DTypePolicy"}),
    "keras.layers": LAYERS,
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": frozenset({"L1", "L1L2", "L2"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    **OPERATIONS,
}
VALUES = frozenset({"__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"})
ACTIVATIONS = frozenset({
    "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "linear", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
})
DTYPES = frozenset({
    "bfloat16", "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "uint16",
    "uint32", "uint64", "uint8",
})
# fmt: on

CONFIG_BYTES = 64 * 2**20
CONFIG_DEPTH = 200
_BY_NAME = ("_initializer", "_regularizer", "_constraint")  # Keras writes these as objects, never by name

Config = dict[str, Any]


def checked_config(content: bytes, file: str) -> Config:
    """Parse a model's `config.json` and refuse whatever this file doesn't list.

    Args:
        content: The file's bytes.
        file: The file's name, for the message.

    Raises:
        ArtifactError: Naming the path inside the configuration and what was found there.
    """
    if len(content) > CONFIG_BYTES:
        raise _refusal(file, "", f"{len(content)} bytes of configuration, at most {CONFIG_BYTES} are read")
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as broken:
        raise _refusal(file, "", f"no readable JSON ({type(broken).__name__}: {broken})") from broken
    if not isinstance(config, dict) or config.get("class_name") != "Functional":
        raise _refusal(file, "", "something else than a functional model")
    config["compile_config"] = None  # never executed: models are loaded uncompiled
    for path, value in walk(config, file):
        if isinstance(value, dict):
            _check_object(value, path, file)
            _check_names(value, path, file)
    return config


def walk(config: Any, file: str) -> Iterator[tuple[str, Any]]:
    """Every value of the configuration with its path, such as `config.layers.3.config`.

    Raises:
        ArtifactError: If the values lie deeper than any real model's.
    """
    pending: list[tuple[str, int, Any]] = [("", 0, config)]
    while pending:
        path, depth, value = pending.pop()
        if depth > CONFIG_DEPTH:
            raise _refusal(file, path[:80], f"values nested deeper than {CONFIG_DEPTH}")
        yield path, value
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        pending += [(f"{path}.{key}" if path else str(key), depth + 1, item) for key, item in items]


def _check_object(value: Config, path: str, file: str) -> None:
    if value.get("compile_config"):
        raise _refusal(
            file, path, "a compiled model inside the model", "nest models that were never compiled"
        )
    if "class_name" not in value:
        if "module" in value or "registered_name" in value:
            raise _refusal(file, path, "an object without a class")
        return
    name = value["class_name"]
    if not isinstance(name, str):
        raise _refusal(file, path, f"the class {name}")
    if name in VALUES:
        _check_value(value, path, file)
    elif name == "function":
        _check_function(value, path, file)
    else:
        _check_class(value, path, file)


def _check_class(value: Config, path: str, file: str) -> None:
    name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if not isinstance(module, str) or name not in CLASSES.get(module, ()):
        raise _refusal(file, path, f"the class {module}.{name}")
    if registered not in (None, name):
        raise _refusal(file, path, f"a class registered as {registered!r}")
    if "inbound_nodes" in value and name != "InputLayer":
        _check_nodes(value["inbound_nodes"], path, file)


def _check_function(value: Config, path: str, file: str) -> None:
    module, function, registered = value.get("module"), value.get("config"), value.get("registered_name")
    known = module in ("builtins", "keras.activations") and str(function) in ACTIVATIONS
    if not known or registered not in (None, function):
        raise _refusal(file, path, f"the function {module}.{function}, registered as {registered}")


def _check_value(value: Config, path: str, file: str) -> None:
    inner = value.get("config")
    if isinstance(inner, dict) and "dtype" in inner and str(inner["dtype"]) not in DTYPES:
        raise _refusal(file, path, f"an array of {inner['dtype']!r}")


def _check_nodes(nodes: Any, path: str, file: str) -> None:
    """Each call takes a symbolic tensor: a call on constants alone would compute while loading."""
    for node in nodes if isinstance(nodes, list) else [nodes]:
        found = (value for _, value in walk(node, file) if isinstance(value, dict))
        if not any(value.get("class_name") == "__keras_tensor__" for value in found):
            raise _refusal(file, path, "a layer called on no tensor")


def _check_names(value: Config, path: str, file: str) -> None:
    for key, item in value.items():
        if not isinstance(item, str):
            continue
        if key.endswith("activation") and item not in ACTIVATIONS:
            raise _refusal(file, f"{path}.{key}", f"the activation {item!r}")
        if key.endswith(_BY_NAME):
            raise _refusal(file, f"{path}.{key}", f"{item!r} by name")


def _refusal(file: str, path: str, found: str, remedy: str = "") -> ArtifactError:
    where = f"{file}, config.json" + (f" at {path}" if path else "")
    return ArtifactError(
        "A model file may name only stock Keras layers and operations that need no code and no files.",
        received=f"{where}: {found[:300]}",
        remedy=remedy or "load only files that Composable wrote and that nobody altered since",
    )
