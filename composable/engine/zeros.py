"""Zeros that take nothing to compile, for variables whose real values come later or that begin with none."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


class HostZeros(keras.initializers.Zeros):
    """Keras's zeros, made on the host.

    JAX compiles its own anew for every shape, in more time than a small network's first step takes.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Zeros of that shape."""
        dtype = keras.backend.standardize_dtype(dtype)
        return ops.convert_to_tensor(np.zeros(shape, dtype), dtype)
