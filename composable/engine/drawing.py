"""The values that a model begins with, drawn anew."""

from __future__ import annotations

import random
from collections.abc import Callable

import keras
import numpy as np

from composable.core.seeds import derive


def initialise(model: keras.Model, build: Callable[[], keras.Model], seed: int) -> None:
    """Draw the weights of `model` anew, as `build` draws them, and with them the state of its dropout."""
    # Keras seeds the global generators; what the person drew from them goes on as if nothing had happened.
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    keras.utils.set_random_seed(derive(seed, "weights"))
    try:
        fresh = build()
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
    for variable, drawn in zip(model.variables, fresh.variables, strict=True):
        variable.assign(drawn)
