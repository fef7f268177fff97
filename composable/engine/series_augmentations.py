"""What may be done to series while a network learns from them: jitter, scale, window.

Each is decided by numbers in [0, 1), (rows, 4); see `composable.engine.augment`. Series are (rows, steps,
channels) of floats, NaN where there is none, which stays so. Um et al. 2017, "Data Augmentation of Wearable
Sensor Data for Parkinson's Disease Monitoring using Convolutional Neural Networks", arXiv:1706.00527.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from keras import ops
from pydantic import Field

from composable.design.part import component

Portion = Annotated[float, Field(gt=0, lt=1)]
_LEAST = 1e-12  # of a variance


@component
def jitter(series: Any, drawn: Any, *, size: Portion = 0.1) -> Any:
    """A wave of random frequency and phase added, as large as `size` deviations of the series."""
    _, deviation = _moments(series)
    steps: Any = ops.arange(int(series.shape[1]), dtype="float32")
    turns: Any = drawn[:, :1] * 0.5 * steps + drawn[:, 1:2]  # at most half a turn from step to step
    wave: Any = ops.sin(turns * np.float32(2 * np.pi))
    return series + size * deviation * ops.expand_dims(wave, -1)


@component
def scale(series: Any, drawn: Any, *, most: Portion = 0.2) -> Any:
    """Farther from its mean or nearer to it, by up to the factor 1 + `most`."""
    mean, _ = _moments(series)
    factor: Any = ops.exp((2.0 * drawn[:, 0] - 1.0) * np.float32(np.log1p(most)))
    return mean + (series - mean) * ops.reshape(factor, (-1, 1, 1))


@component
def window(series: Any, drawn: Any, *, least: Portion = 0.8) -> Any:
    """A part of at least that share of the steps, stretched to the whole length."""
    length = int(series.shape[1])
    share: Any = least + (1.0 - least) * drawn[:, :1]
    first: Any = drawn[:, 1:2] * (1.0 - share) * (length - 1)
    index: Any = ops.cast(ops.round(first + share * ops.arange(length, dtype="float32")), "int32")
    index = ops.expand_dims(ops.clip(index, 0, length - 1), -1)
    return ops.take_along_axis(series, ops.broadcast_to(index, ops.shape(series)), 1)


def _moments(series: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of each channel, (rows, 1, channels)."""
    known: Any = ops.cast(ops.logical_not(ops.isnan(series)), "float32")
    values: Any = ops.where(known > 0.5, series, 0.0)
    count: Any = ops.maximum(ops.sum(known, axis=1, keepdims=True), 1.0)
    mean: Any = ops.sum(values, axis=1, keepdims=True) / count
    away: Any = (values - mean) * known
    variance: Any = ops.sum(ops.square(away), axis=1, keepdims=True) / count
    return mean, ops.sqrt(ops.maximum(variance, _LEAST))


OF_SERIES = {jitter, scale, window}
"""What takes series rather than images."""
