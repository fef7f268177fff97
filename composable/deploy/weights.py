"""The weights within a `.keras` file: plain arrays that lie in the file itself, and no more than its size.

HDF5 can point outside the file (external and soft links, external storage, virtual datasets:
CVE-2026-1669) and can declare shapes it doesn't hold (CVE-2026-0897). How many weights Keras would
allocate for a layer is found from the layer's configuration, without building it.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import h5py

from composable.core.errors import ArtifactError
from composable.design.keras_configuration import Config, walk

DEPTH = 64
_WRAPPED = (".config.layer", ".config.backward_layer")  # of Bidirectional
SLACK = 2**20  # weights that a configuration may allocate beyond those stored: too few to hurt


def stored_weights(content: bytes, origin: str) -> int:
    """The number of values in the HDF5 file.

    Raises:
        ArtifactError: If anything in it is no plain array of numbers within the file.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            count = size = 0
            for path, dataset in _datasets(file, origin):
                count, size = count + int(dataset.size or 0), size + dataset.nbytes
                if size > len(content):
                    raise _refusal(origin, path, "more values declared than the file holds")
            return count
    except (
        OSError,
        RuntimeError,
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        MemoryError,
    ) as broken:
        if isinstance(broken, ArtifactError):
            raise
        raise _refusal(origin, "", f"no readable HDF5 ({broken})") from broken


def declared_weights(config: Config, origin: str) -> int:
    """The number of weights that Keras allocates for the configuration.

    Raises:
        ArtifactError: If a layer with weights doesn't state the shape it is built for.
    """
    sizes: dict[str, int] = {}
    for path, value in walk(config, origin):
        if (
            isinstance(value, dict)
            and value.get("class_name") in COUNTS
            and value.get("module") == "keras.layers"
            and not path.endswith(_WRAPPED)  # counted with the layer around it
        ):
            try:
                count = COUNTS[value["class_name"]](value["config"], value["build_config"])
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as broken:
                raise _refusal(origin, path, "a layer that doesn't say how large it is") from broken
            # A layer that several models share is written once for each, but exists once.
            key = f"shared {value['shared_object_id']}" if "shared_object_id" in value else path
            sizes[key] = max(count, sizes.get(key, 0))
    return sum(sizes.values())


def check_weights(content: bytes, config: Config, origin: str) -> None:
    """Refuse weights that aren't plain arrays, and a configuration that allocates far more than are stored.

    Raises:
        ArtifactError: Naming the path and what was found there.
    """
    stored, declared = stored_weights(content, origin), declared_weights(config, origin)
    if declared > stored + SLACK:
        raise _refusal(origin, "", f"the configuration asks for {declared} weights, the file holds {stored}")


def _datasets(group: h5py.Group, origin: str, depth: int = 0) -> Iterator[tuple[str, h5py.Dataset]]:
    if depth > DEPTH:
        raise _refusal(origin, str(group.name)[:100], f"groups nested deeper than {DEPTH}")
    for name in group:
        path = f"{group.name}/{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise _refusal(origin, path, "a soft or external link")
        item = group[name]
        if _names_of(item) != 1:  # a cycle, or a lattice with more paths than anyone can walk
            raise _refusal(origin, path, "an object under two names")
        if isinstance(item, h5py.Group):
            yield from _datasets(item, origin, depth + 1)
        elif not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf" or item.shape is None:
            raise _refusal(origin, path, "something else than an array of numbers")
        elif item.external is not None or item.is_virtual:
            raise _refusal(origin, path, "an array that lies in another file")
        else:
            yield path, item


def _names_of(item: Any) -> int:
    """How many hard links lead to the object."""
    return h5py.h5o.get_info(item.id).rc  # pyright: ignore[reportAttributeAccessIssue]


def _refusal(origin: str, path: str, found: str) -> ArtifactError:
    return ArtifactError(
        "The weights of a model file are plain arrays inside it.",
        received=f"{origin}, model.weights.h5" + (f" at {path}" if path else "") + f": {found}",
        remedy="load only files that Composable wrote and that nobody altered since",
    )


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
