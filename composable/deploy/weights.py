"""The weights within a `.keras` file: plain arrays that lie in the file itself, and no more than its size.

HDF5 can point outside the file (external and soft links, external storage, virtual datasets: CVE-2026-1669)
and can declare shapes it doesn't hold (CVE-2026-0897).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import h5py

from composable.core.errors import ArtifactError
from composable.deploy.counts import COUNTS
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
