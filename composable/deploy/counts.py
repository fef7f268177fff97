"""How many weights Keras would allocate for a layer's configuration, found without building it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

Config = dict[str, Any]


def _sizes(build: Config, name: str = "input_shape") -> list[int]:
    """The input's shape without the free axes."""
    return [int(size) for size in build[name] if size is not None]


def _dense(config: Config, build: Config) -> int:
    return (_sizes(build)[-1] + bool(config["use_bias"])) * int(config["units"])


def _embedding(config: Config, _build: Config) -> int:
    return int(config["input_dim"]) * int(config["output_dim"])


def _along(axes: Any, build: Config) -> int:
    """The product of the input's sizes along some axes."""
    chosen = axes if isinstance(axes, list | tuple) else [] if axes is None else [axes]
    return math.prod(int(build["input_shape"][axis]) for axis in chosen)


def _batch_normalization(config: Config, build: Config) -> int:
    return _along(config["axis"], build) * (2 + bool(config["scale"]) + bool(config["center"]))


def _layer_normalization(config: Config, build: Config) -> int:
    return _along(config["axis"], build) * (bool(config["scale"]) + bool(config["center"]))


def _normalization(config: Config, build: Config) -> int:
    return 2 * _along(config["axis"], build) + 1  # mean, variance, and how many values they are of


def _slopes(config: Config, build: Config) -> int:
    shared = config["shared_axes"] or []
    own = [axis for axis in range(1, len(build["input_shape"])) if axis not in shared]
    return _along(own, build)


def _kernel(config: Config) -> int:
    size = config["kernel_size"]
    return math.prod(int(side) for side in (size if isinstance(size, list | tuple) else [size]))


def _convolution(config: Config, build: Config) -> int:
    channels, filters = _sizes(build)[-1], int(config["filters"])
    groups = int(config.get("groups") or 1)
    return filters * (_kernel(config) * channels // max(1, groups) + bool(config["use_bias"]))


def _depthwise(config: Config, build: Config) -> int:
    filters = _sizes(build)[-1] * int(config["depth_multiplier"])
    return filters * (_kernel(config) + bool(config["use_bias"]))


def _separable(config: Config, build: Config) -> int:
    between = _sizes(build)[-1] * int(config["depth_multiplier"])
    return _kernel(config) * between + (between + bool(config["use_bias"])) * int(config["filters"])


def _recurrent(gates: int) -> Callable[[Config, Config], int]:
    def count(config: Config, build: Config) -> int:
        units, biases = (
            int(config["units"]),
            bool(config["use_bias"]) * (2 if config.get("reset_after") else 1),
        )
        return gates * units * (_sizes(build)[-1] + units + biases)

    return count


def _bidirectional(config: Config, build: Config) -> int:
    wrapped = config["layer"]
    return 2 * COUNTS[wrapped["class_name"]](wrapped["config"], build)


def _attention(config: Config, build: Config) -> int:
    """Projections of queries, keys and values per head, and back, each with a bias or none."""
    shapes = build["shapes_dict"]
    query, value = (_sizes(shapes, name)[-1] for name in ("query_shape", "value_shape"))
    key = _sizes(shapes, "key_shape")[-1] if shapes.get("key_shape") else value
    heads, keys = int(config["num_heads"]), int(config["key_dim"])
    values = int(config["value_dim"] or keys)
    biases = bool(config["use_bias"]) * (heads * (2 * keys + values) + query)
    return heads * ((query + key) * keys + (value + query) * values) + biases


def _einsum(config: Config, build: Config) -> int:
    """Each axis of the kernel is an axis of the input or of the output; the bias has some of the output's.

    The axes that `...` stands for come first, and the kernel has none of them.
    """
    found = re.fullmatch(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)", config["equation"].replace("...", ""))
    output = config["output_shape"]
    output = [
        int(size) for size in (output if isinstance(output, list | tuple) else [output]) if size is not None
    ]
    into, kernel, out = found.groups()  # type: ignore[union-attr]  # the AttributeError becomes a refusal
    # Free axes come first, so sizes are read from the end.
    sizes = dict(zip(reversed(out), reversed(output), strict=False))
    for letter, size in zip(reversed(into), reversed(_sizes(build)), strict=False):
        sizes[letter] = max(size, sizes.get(letter, 0))
    bias = config["bias_axes"]
    return _product(sizes, kernel) + (_product(sizes, bias) if bias else 0)


def _product(sizes: dict[str, int], letters: str) -> int:
    return math.prod(sizes[letter] for letter in letters)


COUNTS: dict[str, Callable[[Config, Config], int]] = {
    "BatchNormalization": _batch_normalization,
    "Bidirectional": _bidirectional,
    "Conv1D": _convolution,
    "Conv1DTranspose": _convolution,
    "Conv2D": _convolution,
    "Conv2DTranspose": _convolution,
    "Dense": _dense,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "EinsumDense": _einsum,
    "Embedding": _embedding,
    "GRU": _recurrent(3),
    "LSTM": _recurrent(4),
    "LayerNormalization": _layer_normalization,
    "MultiHeadAttention": _attention,
    "Normalization": _normalization,
    "PReLU": _slopes,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
}
"""(the layer's configuration, what it was built for) -> weights."""
