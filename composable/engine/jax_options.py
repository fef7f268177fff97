"""How XLA is asked to compile, where JAX runs on the CPU."""

from __future__ import annotations

from functools import cache

import jax

CONVOLUTIONS_ON_ALL_CORES = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
"""YNNPACK, XLA's choice for them, computes each convolution on one core; sums it computes on all."""


@cache
def compiler_options() -> dict[str, str]:
    """For `jax.jit`; empty on other devices, and where XLA has no such option (yet, or any more)."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=CONVOLUTIONS_ON_ALL_CORES).lower().compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return CONVOLUTIONS_ON_ALL_CORES
