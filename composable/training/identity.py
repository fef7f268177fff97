"""What a training is at one moment, and what it shares with one that takes its checkpoint up again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest
from typing import Any

import numpy as np

from composable.core.errors import ArtifactError

Layer = tuple[str, tuple[int, ...], str]
_NUMBER = re.compile("_[0-9]+$")


@dataclass(frozen=True)
class Identity:
    """The training that a state belongs to.

    Attributes:
        layers: Name, shape and type of every variable of the model, in order, see `model_layers`.
        versions: Of what the numbers depend on, `{"keras": "3.15.1", "backend": "jax 0.10.2", ...}`.
        settings: A digest of everything else that would make it another training.
    """

    layers: tuple[Layer, ...]
    versions: Mapping[str, str]
    settings: str = ""


def layers_of(variables: Iterable[tuple[str, Any]]) -> tuple[Layer, ...]:
    """Name, shape and type of named arrays or variables, as `Identity` holds them."""
    return tuple((name, tuple(map(int, value.shape)), str(value.dtype)) for name, value in variables)


def model_layers(model: Any) -> tuple[Layer, ...]:
    """The weights of a `keras.Model` as `Identity` holds them: `("dense_1/kernel", (64, 1), "float32")`.

    Keras numbers the layers without a name by how many the process has built before; here they are numbered
    in the order of the model, so that the names are the same in every process.
    """
    names: dict[str, str] = {"": ""}
    seen: Counter[str] = Counter()
    for path in (weight.path for weight in model.weights):
        for above, place in pairwise(["", *accumulate(path.split("/"), "{}/{}".format)]):
            if place not in names:
                plain = names[above] + _NUMBER.sub("", place.removeprefix(above))
                names[place] = f"{plain}_{seen[plain]}" if seen[plain] else plain
                seen[plain] += 1
    return layers_of((names[weight.path], weight) for weight in model.weights)


def check_identity(stored: Identity, current: Identity, *, origin: str) -> None:
    """Let a training go on only from its own checkpoint.

    Args:
        stored: The identity in the checkpoint.
        current: The training that wants to go on.
        origin: Names the checkpoint in the error.

    Raises:
        ArtifactError: Naming the first layer that differs and the versions on both sides.
    """
    differences = list(_differences(stored, current))
    if differences:
        versions = f"It was written with {_listed(stored.versions)}; here is {_listed(current.versions)}"
        raise ArtifactError(
            "A checkpoint continues only the training that wrote it.",
            received=f"{origin}: {'; '.join(differences)}. {versions}",
            remedy="go back to that architecture and those versions, or delete the checkpoint to start again",
        )


def _differences(stored: Identity, current: Identity) -> Iterable[str]:
    pairs = zip_longest(stored.layers, current.layers)
    if (first := next(((old, new) for old, new in pairs if old != new), None)) is not None:
        yield f"the first layer that differs is {_shown(first[0])} there, {_shown(first[1])} here"
    for name in sorted(stored.versions.keys() | current.versions.keys()):
        old, new = stored.versions.get(name, "unknown"), current.versions.get(name, "unknown")
        if old != new:
            yield f"{name} was {old} there, is {new} here"
    if stored.settings != current.settings:
        yield "the settings differ"


def _shown(layer: Layer | None) -> str:
    return "none" if layer is None else f"{layer[0]} {layer[1]} {layer[2]}"


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown versions"


@dataclass(frozen=True, eq=False)
class State:
    """Everything that a training needs to go on as if nothing had happened.

    Attributes:
        arrays: Weights, optimizer slots, random states: any shape, any type of number (also those of
            ml_dtypes, such as bfloat16). They come back from a checkpoint bit for bit.
        facts: Epoch, history, counters, seeds: plain JSON with text as keys. Floats come back exactly, NaN
            and the infinities too; tuples come back as lists.
    """

    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]
