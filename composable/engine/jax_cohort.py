"""A cohort's program on JAX: which devices, how packed, and the values it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

from composable.engine.jax_program import Data, JaxProgram
from composable.engine.jax_step import Packing, Spread, Step
from composable.engine.optimizer import rate_indices
from composable.engine.rows import as_model_input
from composable.engine.training_copy import all_layers, dropout_rates

if TYPE_CHECKING:
    from composable.engine.cohort import Cohort

_CONVOLUTIONS = ("Conv", "DepthwiseConv", "SeparableConv")


def jax_program(cohort: Cohort) -> JaxProgram:
    """All instances of `cohort`, ready to be trained."""
    settings, network = cohort.settings, cohort.training_copy
    optimizer = settings.optimizer.build(network)
    others = [id(v) for v in network.non_trainable_variables]
    step = Step(
        model=network,
        optimizer=optimizer,
        goals=cohort.goals,
        dropout=tuple(others.index(id(rate)) for rate in dropout_rates(network)),
        rates=rate_indices(optimizer),
        augment=settings.augment,
        hardest_share=settings.hardest_share,
        sam=settings.sam,
        averaging=settings.averaging,
    )
    starts = cohort.starts()
    slots = [np.asarray(v.value) for v in optimizer.variables]
    states = [step.begin(trainable, other, slots) for trainable, other in starts]
    data, own = _data(cohort)
    spread = Spread(_devices(len(cohort)), _packing(network))
    return JaxProgram(step, data, own, _stacked(states), spread)


def _data(cohort: Cohort) -> tuple[Data, tuple[bool, bool]]:
    rows, instances = cohort.rows, cohort.instances
    own_targets, own_weights = instances[0].targets is not None, instances[0].weights is not None
    targets = _stacked([one.targets for one in instances]) if own_targets else rows.targets
    weights = _stacked([one.weights for one in instances]) if own_weights else rows.weights
    inputs = as_model_input(cohort.training_copy, rows.inputs)
    return Data(inputs, targets, weights), (own_targets, own_weights)


def _stacked(states: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *values: np.stack(values), *states)


def _devices(count: int) -> Sequence[Any]:
    """Of as many as there are, the largest number that divides the instances evenly enough."""
    available = jax.devices()
    return available[: min(len(available), count)]


def _packing(network: keras.Model) -> Packing:
    """Side by side, except for convolutions on a CPU: of them `vmap` makes grouped ones, slow there."""
    if jax.default_backend() != "cpu":
        return "vmap"
    return "loop" if any(map(_convolves, all_layers(network))) else "vmap"


def _convolves(layer: Any) -> bool:
    return any(name in type(layer).__name__ for name in _CONVOLUTIONS)
