"""MiniRocket: how often small fixed convolutions of a series lie above thresholds taken from the data.

Dempster, Schmidt & Webb 2021, "MiniRocket: A Very Fast (Almost) Deterministic Transform for Time Series
Classification", arXiv:2012.08791. Nothing of it is trained but a linear model of its features, for which the
authors solve by ridge regression (`composable.training.ridge`). Several channels as in the authors' code:
each pair of kernel and dilation sees a few of them, drawn at random, added up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from composable.design import Architecture, Choice, Part, component
from composable.design.choice import Open
from composable.design.fitting import fitted
from composable.design.metaparameters import Count, checked
from composable.design.series import BOUND, as_steps, clean_series
from composable.design.taps import before_layers
from composable.design.tasks import classifier

LENGTH = 9  # of every kernel
KERNELS = np.array(
    [[2.0 if k in three else -1.0 for k in range(LENGTH)] for three in combinations(range(9), 3)]
)
"""All 84 with three weights of 2 and six of -1, which add up to zero; shape (84, 9)."""

_HALF = len(KERNELS) // 2
_CHANNELS = 9  # at most, that a kernel sees
_WHOLE = 2.0**24  # below it float32 holds whole numbers exactly
_BELOW = -(2.0**30)  # every bias
_HALVINGS = 4  # of the steps
_ROWS = 1024  # from which biases are taken, at most
_STEPS, _THERE = "minirocket_steps", "minirocket_there"
_CONVOLUTION, _BIASES = "minirocket_kernels_", "minirocket_biases_"


@component
def transform(x: Any, *, features: Count = 10_000, max_dilations: Count = 32) -> Any:
    """The proportion of values of each convolution that are above each of its biases (PPV).

    Convolutions are of whole numbers: values are rounded, finely enough that nothing is lost and coarsely
    enough that every backend finds the very same sums, whatever the order in which it adds. A value that is
    on a threshold in one of them would be beyond it in another, otherwise.

    Args:
        x: Values of known length, whose deviation is about 1, or those and where there is a step.
        features: About how many; as many of each kernel.
        max_dilations: That a kernel comes with; fewer where series are short.

    Returns:
        (rows, features). All are zero until `fit_biases` was given training rows.
    """
    values, there = as_steps(x)
    there = None if there is None else layers.Identity(name=_THERE)(there)
    length, channels = values.shape[1:]
    finest = 2.0 ** math.floor(math.log2(_WHOLE / (2 * 12 * BOUND * min(channels, _CHANNELS))))
    bounded: Any = ops.clip(values, -BOUND, BOUND)
    whole = layers.Identity(name=_STEPS)(ops.round(bounded * finest))
    nothing: Any = ops.cast(ops.zeros_like(whole[:, 0, 0]), "int32")  # the one row of the tables of biases
    found = []
    for dilation, count in dilations(length, features, max_dilations):
        # A convolution is computed once; slices of the series would be cleaned anew for each of its terms.
        convolution = layers.Conv1D(
            len(KERNELS),
            LENGTH,
            dilation_rate=dilation,
            padding="same",
            use_bias=False,
            kernel_initializer="zeros",
            trainable=False,
            name=f"{_CONVOLUTION}{dilation}",
        )
        biases = layers.Embedding(
            1,
            len(KERNELS) * count,
            embeddings_initializer="zeros",
            trainable=False,
            name=f"{_BIASES}{dilation}",
        )
        thresholds: Any = ops.reshape(biases(nothing), (-1, 1, len(KERNELS), count))
        convolved: Any = convolution(whole)
        # Half of the kernels also look at the zeros around the series, the others only at what is inside.
        reach = LENGTH // 2 * dilation
        inside = slice(reach, length - reach)
        found.append(_share_above(convolved[:, :, :_HALF], thresholds[:, :, :_HALF], there))
        shorter = None if there is None else there[:, 2 * reach :]
        found.append(_share_above(convolved[:, inside, _HALF:], thresholds[:, :, _HALF:], shorter))
    return layers.Concatenate()([layers.Flatten()(each) for each in found])


@component
def clean_transform(x: Any, *, features: Count = 10_000, max_dilations: Count = 32) -> Any:
    """The transform of series as they were measured, where it is a part of something larger."""
    return transform(clean_series(x), features=features, max_dilations=max_dilations)


@fitted
def fit_biases(model: keras.Model, inputs: Any, seed: int) -> None:
    """Set kernels, and biases to quantiles of what they make of training rows; nothing if there are none.

    Args:
        model: With `transform` in it, its scale fitted already.
        inputs: As the model takes them.
        seed: Of the rows that are looked at, one for each kernel and dilation, and of the channels.
    """
    if all(layer.name != _STEPS for layer in model.layers):
        return
    rng = np.random.default_rng(seed)
    whole, there = _some_steps(model, inputs, rng)
    first = 1
    for number, layer in enumerate(one for one in model.layers if one.name.startswith(_BIASES)):
        dilation = int(layer.name.removeprefix(_BIASES))
        count = layer.output_dim // len(KERNELS)
        ratio = np.arange(first, first + len(KERNELS) * count) * (np.sqrt(5) + 1) / 2 % 1
        first += len(ratio)
        mixed = _mixed_channels(whole.shape[2], rng)
        rows = rng.integers(len(whole), size=len(KERNELS))
        convolved = _convolved(np.einsum("kc,klc->kl", mixed, whole[rows]), dilation)
        each = zip(convolved, there[rows], ratio.reshape(len(KERNELS), count), strict=True)
        biases = np.stack([np.quantile(values[known], parts) for values, known, parts in each])
        kernels = np.einsum("kt,kc->tck", KERNELS, mixed)
        order = np.concatenate([np.arange(odd, len(KERNELS), 2) for odd in (number % 2, 1 - number % 2)])
        model.get_layer(f"{_CONVOLUTION}{dilation}").set_weights([kernels[:, :, order]])
        layer.set_weights([np.floor(biases)[order].reshape(1, -1)])


def dilations(length: int, features: int, most: int) -> list[tuple[int, int]]:
    """The dilations of every kernel, from 1 to where it spans the series, and how many biases each has.

    As in the authors' code: exponents of 2 evenly spaced; those that are the same dilation share it, with as
    many times the biases.
    """
    each = max(1, features // len(KERNELS))
    drawn = min(each, most)
    longest = max(0.0, math.log2(max(1, length - 1) / (LENGTH - 1)))
    found, counts = np.unique(np.logspace(0, longest, drawn, base=2).astype(int), return_counts=True)
    counts = (counts * (each / drawn)).astype(int)
    counts[: each - counts.sum()] += 1
    return [(int(dilation), int(count)) for dilation, count in zip(found, counts, strict=True)]


def _share_above(convolved: Any, thresholds: Any, there: Any) -> Any:
    """The share of the steps there are whose value is above each threshold, (rows, kernels, biases).

    Steps far apart are compared and added up first: a compiler makes one loop of that, in which what was
    compared never lies in memory. That is many times as fast.

    Args:
        convolved: (rows, steps, kernels).
        thresholds: (rows, 1, kernels, biases).
        there: 1 where there is a step, (rows, steps, 1); or None.
    """
    steps = convolved.shape[1]
    known: Any = float(steps)
    if there is not None:
        convolved = ops.where(ops.greater(there, 0.5), convolved, _BELOW)
        known = ops.expand_dims(ops.sum(there, axis=1), -1)
    padding = ((0, 0), (0, -steps % 2**_HALVINGS), (0, 0))
    padded: Any = ops.expand_dims(ops.pad(convolved, padding, constant_values=_BELOW), -1)
    above: Any = ops.cast(ops.greater(padded, thresholds), "float32")
    for _ in range(_HALVINGS):
        half = above.shape[1] // 2
        above = above[:, :half] + above[:, half:]
    total: Any = ops.sum(above, axis=1)
    return total / ops.maximum(known, 1.0)


def _some_steps(model: keras.Model, inputs: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The whole numbers that are convolved, of some rows, and where there is a step: in each at least one."""
    names = [name for name in (_STEPS, _THERE) if any(layer.name == name for layer in model.layers)]
    probe = before_layers(model, names)
    several = inputs if isinstance(inputs, Mapping) else {"": inputs}
    # Always as many: one number of rows is one compiled program.
    chosen = np.resize(rng.permutation(len(next(iter(several.values())))), _ROWS)
    some = {name: np.asarray(values)[chosen] for name, values in several.items()}
    outputs = probe.predict_on_batch(some if isinstance(inputs, Mapping) else some[""])
    whole, *others = map(np.asarray, keras.tree.flatten(outputs))
    there = others[0][:, :, 0] > 0.5 if others else np.ones(whole.shape[:2], bool)
    there[:, 0] = True
    return whole.astype("float64"), there


def _mixed_channels(channels: int, rng: np.random.Generator) -> np.ndarray:
    """Which channels each kernel sees, 1 or 0, (kernels, channels): few more often than many."""
    found = np.zeros((len(KERNELS), channels))
    for row in found:
        count = int(2 ** rng.uniform(0, np.log2(min(channels, _CHANNELS) + 1)))
        row[rng.permutation(channels)[:count]] = 1.0
    return found


def _convolved(series: np.ndarray, dilation: int) -> np.ndarray:
    """Each series with the kernel of its place, (kernels, steps)."""
    reach, length = LENGTH // 2 * dilation, series.shape[1]
    padded = np.pad(series, ((0, 0), (reach, reach)))
    seen = np.stack([padded[:, k * dilation : k * dilation + length] for k in range(LENGTH)])
    return np.einsum("kt,tkl->kl", KERNELS, seen)


@checked
def minirocket(
    *, classes: Count = 2, features: Count | Open = 10_000, max_dilations: Count | Open = 32
) -> Architecture:
    """The transform, and a linear classifier of its features.

    Args:
        classes: To tell apart.
        features: About how many.
        max_dilations: That a kernel comes with.
    """
    return Architecture(
        stem=Part(clean_series),
        learner=Part(transform, features=features, max_dilations=max_dilations),
        tasks=Part(classifier, classes=classes),
    )


@checked
def minirocket_space(*, classes: Count = 2) -> Architecture:
    """How many features, and how finely dilations are spaced."""
    return minirocket(
        classes=classes, features=Choice((2_500, 10_000, 40_000)), max_dilations=Choice((16, 32, 64))
    )
