"""The values that a model begins with, drawn anew."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from composable.core.seeds import GLOBAL_GENERATORS, derive
from composable.engine.training_copy import all_layers


def initialize(model: keras.Model, build: Callable[[], keras.Model], seed: int) -> None:
    """Draw the weights of `model` anew, as `build` draws them.

    Where every layer has the initializers of its weights as attributes, they are called. Else the model is
    built once more, which takes far longer.
    """
    known = _initializers(model)
    if known is None:
        _as_built(model, build, seed)
        return
    for number, (variable, initializer) in enumerate(known):
        config = initializer.get_config()
        if "seed" in config:
            config["seed"] = derive(seed, "weights", number)
        fresh = type(initializer).from_config(config)
        variable.assign(fresh(variable.shape, dtype=variable.dtype))


def _initializers(model: keras.Model) -> list[tuple[Any, Any]] | None:
    """Each weight and its initializer, None if one isn't known."""
    found = []
    for layer in all_layers(model):
        if isinstance(layer, keras.Model):
            continue
        for variable in layer.variables:
            if variable.name == "seed_generator_state":
                continue
            initializer = getattr(layer, f"{variable.name}_initializer", None)
            if not isinstance(initializer, keras.initializers.Initializer):
                return None
            found.append((variable, initializer))
    listed = {id(variable) for variable, _ in found}
    return found if all(id(variable) in listed for variable in model.weights) else None


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """What is built inside draws its weights, and the seeds of its dropout, from this seed.

    Keras seeds the global generators; what the user drew from them goes on as if nothing had happened.
    """
    with GLOBAL_GENERATORS:
        numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
        keras.utils.set_random_seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


def _as_built(model: keras.Model, build: Callable[[], keras.Model], seed: int) -> None:
    with seeded(derive(seed, "weights")):
        fresh = build()
    for variable, drawn in zip(model.variables, fresh.variables, strict=True):
        variable.assign(drawn)
