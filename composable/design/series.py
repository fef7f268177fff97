"""What models of series share: numbers step by step, NaN where one is missing and after the last step.

Once clean, what flows is a pair: the values (rows, steps, channels), and 1 where there is a step and 0 in the
padding after the last one (rows, steps, 1). Components of series take such a pair, or the values alone where
nothing is padded. What is padding changes no prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from composable.design.fitting import fitted
from composable.design.part import Component, component

SCALE, STEPS_AS_NUMBERS = "series_scale", "steps_as_numbers"  # the names of layers
BOUND = 32.0  # scaled values beyond it say no more than "far out"


@component
def clean_series(x: Any, *, name: str = "series") -> Any:
    """Each channel on a common scale; a missing number is the one before it, or else the first known one.

    Args:
        x: Numbers of shape (rows, steps, channels), or a dict with them.
        name: Of the series among several inputs.

    Returns:
        The pair of clean values and where there is a step: up to the last one with a known number.
    """
    given = x[name] if isinstance(x, Mapping) else x
    scale = layers.EinsumDense(
        "btc,c->btc",
        given.shape[1:],
        bias_axes="c",
        kernel_initializer="ones",
        trainable=False,
        name=SCALE,
    )
    scaled: Any = scale(given)
    missing = ops.isnan(scaled)
    known = ops.cast(ops.logical_not(missing), "float32")
    values = ops.where(missing, 0.0, ops.clip(scaled, -BOUND, BOUND))
    before, seen = _filled(values, known, forward=True)
    after, coming = _filled(values, known, forward=False)
    there: Any = ops.max(coming, axis=-1, keepdims=True)
    filled: Any = ops.where(ops.greater(seen, 0.5), before, after)
    return filled * there, there


@fitted
def fit_scale(model: keras.Model, inputs: Any, _seed: int = 0) -> None:
    """Fit the scale of a model's series to training rows; nothing happens if it has none.

    The mean of a channel becomes 0. It is multiplied by a power of two, which brings its standard deviation
    near 1: so every backend finds the very same numbers, which `minirocket.transform` counts on.

    Args:
        model: With `clean_series` in it.
        inputs: As the model takes them.
    """
    if all(layer.name != SCALE for layer in model.layers):
        return
    layer: Any = model.get_layer(SCALE)
    name = layer.input.name if isinstance(inputs, Mapping) else None
    values = np.asarray(inputs if name is None else inputs[name], "float64").reshape(
        -1, layer.input.shape[-1]
    )
    known = np.where(np.isfinite(values), values, np.nan)
    count = np.maximum(np.isfinite(known).sum(axis=0), 1)
    mean = np.nansum(known, axis=0) / count
    deviation = np.sqrt(np.nansum((known - mean) ** 2, axis=0) / count)
    usable = (deviation > 0) & np.isfinite(deviation)
    factor = np.where(usable, 2.0 ** -np.round(np.log2(np.where(usable, deviation, 1.0))), 1.0)
    layer.set_weights([factor.astype("float32"), (-mean * factor).astype("float32")])


def as_steps(x: Any) -> tuple[Any, Any]:
    """The values, and where there is a step; None if nothing is padded."""
    return x if isinstance(x, tuple) else (x, None)


def like(x: Any, values: Any) -> Any:
    """What was made of `x`, a pair if that is one; padding is zero."""
    _, there = as_steps(x)
    return values if there is None else (values * there, there)


def step_mask(x: Any) -> Any:
    """Where there is a step as truth values (rows, steps), as Keras's layers take masks; or None."""
    _, there = as_steps(x)
    return None if there is None else ops.greater(there[:, :, 0], 0.5)


@component
def mean_of_steps(x: Any) -> Any:
    """The mean of each channel over the steps there are."""
    values, there = as_steps(x)
    if there is None:
        return layers.GlobalAveragePooling1D()(values)
    total: Any = ops.sum(values * there, axis=1)
    return total / ops.maximum(ops.sum(there, axis=1), 1.0)


@component
def last_step(x: Any) -> Any:
    """The last step there is, which in causal networks alone has seen all others."""
    values, there = as_steps(x)
    if there is None:
        return values[:, -1]
    padded: Any = ops.pad(there, ((0, 0), (0, 1), (0, 0)))
    return ops.sum(values * (there - padded[:, 1:]), axis=1)


@component
def every_step(x: Any) -> Any:
    """All values of a series as one vector, in their order; padding is zero."""
    values, _ = as_steps(x)
    return layers.Flatten()(values)


@component
def steps_as_numbers(x: Mapping[str, Any], *, name: str = "series") -> dict[str, Any]:
    """The other inputs, and each step of a series as one more of their numbers, for components of tables.

    Args:
        x: The inputs, the series among them.
        name: Of the series among the inputs.
    """
    steps = layers.Flatten(name=STEPS_AS_NUMBERS)(x[name])
    others = {key: value for key, value in x.items() if key != name}
    numbers = ops.concatenate([others["numbers"], steps], axis=-1) if "numbers" in others else steps
    return others | {"numbers": numbers}


@component
def beside_series(x: Mapping[str, Any], *, series: Component, table: Component, name: str = "series") -> Any:
    """What a network makes of the series, and the clean features of the other columns, as one vector.

    Args:
        x: The inputs, the series among them.
        series: From all inputs to one vector per row.
        table: Prepares the others; `composable.design.tables.prepare`.
        name: Of the series among the inputs.
    """
    others = table({key: value for key, value in x.items() if key != name})
    return layers.Concatenate()([series(x), others["plain"]])


def _filled(values: Any, known: Any, *, forward: bool) -> tuple[Any, Any]:
    """Every number as the nearest known one before it (or after it), and 1 where there is any.

    What is one step away is taken first, then two steps, four, eight: as often as it takes to double the
    distance to the length.
    """
    length, away = values.shape[1], 1
    while away < length:
        around = ((0, 0), (away, 0) if forward else (0, away), (0, 0))
        part = slice(None, length) if forward else slice(away, None)
        padded: list[Any] = [ops.pad(each, around) for each in (values, known)]
        values = ops.where(ops.greater(known, 0.5), values, padded[0][:, part])
        known = ops.maximum(known, padded[1][:, part])
        away *= 2
    return values, known
