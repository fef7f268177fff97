"""How the instances of a cohort lie on the devices, and how one instance's function becomes that of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

Packing = Literal["vmap", "loop"]
ACROSS = PartitionSpec("instances")
WHOLE = PartitionSpec()
CONVOLUTIONS_ON_ALL_CORES = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
"""YNNPACK, XLA's choice for them, computes each convolution on one core; sums it computes on all."""


@dataclass(frozen=True, eq=False, repr=False)  # `jit` takes the text of its arguments
class Spread:
    """Where instances are.

    Attributes:
        devices: Each has as many instances.
        packing: How several instances run on one device: side by side under `vmap`, or one after another.
    """

    devices: Sequence[Any]
    packing: Packing

    def placed(self, values: Any, across: PartitionSpec = ACROSS) -> Any:
        """Arrays on the devices: their leading axis, of instances, divided, or everything on each device."""
        if len(self.devices) == 1:
            return jax.tree.map(lambda x: jax.device_put(x, self.devices[0]), values)
        where = NamedSharding(self._mesh, across)
        if across == ACROSS:
            values = jax.tree.map(self._filled, values)
        return jax.tree.map(lambda x: jax.device_put(x, where), values)

    def compiled(
        self, function: Callable[..., Any], axes: tuple[Any, ...], donated: tuple[int, ...] = ()
    ) -> Any:
        """`function` of one instance for all of them.

        Args:
            function: Of arrays.
            axes: For each argument, or part of one, whether it has a leading axis of instances.
            donated: Which arguments' buffers the results may take.
        """
        packed = partial(_packed, function, axes, self.packing)
        if len(self.devices) > 1:
            specs = tuple(jax.tree.map(lambda own: ACROSS if own else WHOLE, one) for one in axes)
            packed = jax.shard_map(packed, mesh=self._mesh, in_specs=specs, out_specs=ACROSS, check_vma=False)
        return jax.jit(packed, donate_argnums=donated, compiler_options=compiler_options())

    @property
    def _mesh(self) -> Mesh:
        return Mesh(np.array(self.devices), ("instances",))

    def _filled(self, values: Any) -> np.ndarray:
        """The last instance is repeated where they don't divide evenly over the devices."""
        missing = -len(values) % len(self.devices)
        return np.concatenate([values, np.repeat(values[-1:], missing, axis=0)]) if missing else values


def _packed(function: Any, axes: tuple[Any, ...], packing: Packing, *arguments: Any) -> Any:
    """One instance's function on several: side by side, or one after another."""
    leading = tuple(jax.tree.map(lambda own: 0 if own else None, one) for one in axes)
    count = len(jax.tree.leaves(arguments[0])[0])
    if count > 1 and packing == "vmap":
        return jax.vmap(function, in_axes=leading)(*arguments)
    flat, owned, tree = _split(arguments, axes)

    def one(values: list[Any]) -> Any:
        return function(*_joined(flat, owned, values, tree))

    if count == 1:
        only = one([flat[index][0] for index in owned])
        return jax.tree.map(lambda x: x[None], only)
    return jax.lax.map(one, [flat[index] for index in owned])


def _split(arguments: tuple[Any, ...], axes: tuple[Any, ...]) -> tuple[list[Any], list[int], Any]:
    """The leaves of the arguments, which of them have a leading axis of instances, and the tree they are."""
    owns = jax.tree.broadcast(axes, arguments)
    flat, tree = jax.tree.flatten(arguments)
    return flat, [index for index, own in enumerate(jax.tree.leaves(owns)) if own], tree


def _joined(flat: list[Any], owned: list[int], values: list[Any], tree: Any) -> tuple[Any, ...]:
    leaves = list(flat)
    for index, value in zip(owned, values, strict=True):
        leaves[index] = value
    return jax.tree.unflatten(tree, leaves)


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
