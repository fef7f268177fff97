"""Values that XLA writes to memory, instead of computing them anew within each loop that reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

SENTINEL = 0x7FA55A5A  # a NaN that no computation gives


def materialised(compute: Callable[..., Any], *arrays: Any) -> Any:
    """`compute(*arrays)`, an array, once.

    XLA:CPU fuses what is cheap into all that reads it: a sum of nine shifted inputs is computed anew by the mean,
    the variance and the scaling that follow. Its `optimization_barrier` is taken away before it fuses; the
    two sides of a condition stay apart.
    """
    first = lax.bitcast_convert_type(arrays[0].reshape(-1)[0].astype("float32"), "int32")
    wanted = lax.stop_gradient(first) != SENTINEL
    shapes = jax.eval_shape(compute, *arrays)
    return lax.cond(wanted, compute, lambda *_: jax.tree.map(_nowhere, shapes), *arrays)


def _nowhere(shape: Any) -> Any:
    return jnp.full(shape.shape, jnp.nan, shape.dtype)
