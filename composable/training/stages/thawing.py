"""The parts of a network from its top down, and the network with some of them frozen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import keras
from keras import layers

_STATISTICS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)


def parts_of(model: keras.Model, count: int) -> list[list[int]]:
    """Which layers are thawed together, as indices into `model.layers`, the top part first.

    The top part is what follows the tap `encoding`, the task; the lowest is the stem, the first layer that
    learns; what lies between, the groups, is divided evenly by depth. A normalization goes with the layer
    below it. Layers without weights are in no part.

    Args:
        model: From its inputs to its logits, its layers in the order of the graph.
        count: Of parts; fewer, where there are fewer layers that learn.
    """
    units, task = _units(model)
    if count == 1 or len(units) == 1:
        return [[place for unit in units for place in unit]]
    top = [place for unit in units[task:] for place in unit]
    between = units[1:task]
    pieces = min(max(count - 2, 0), len(between))
    edges = [round(number * len(between) / pieces) for number in range(pieces + 1)] if pieces else []
    middle = [between[low:high] for low, high in pairwise(edges)]
    lower = [units[0]] if pieces or not between else [[place for unit in units[:task] for place in unit]]
    groups = [[place for unit in piece for place in unit] for piece in reversed(middle)]
    return [top, *groups, *lower]


def frozen(model: keras.Model, places: Sequence[int]) -> keras.Model:
    """The same model; the layers at these indices neither learn nor gather statistics."""
    found = model.layers
    for index in places:
        found[index].trainable = False
    return model


def _units(model: keras.Model) -> tuple[list[list[int]], int]:
    """Layers that learn, each with the normalizations above it; the lowest first; where the task begins.

    Statistics that are fitted to the rows before training, and don't learn, are in none of them.
    """
    found: list[list[int]] = []
    task = None
    for index, layer in enumerate(model.layers):
        if layer.name == "encoding":
            task = len(found)
        if isinstance(layer, _STATISTICS) and found:
            found[-1].append(index)
        elif layer.trainable_weights:
            found.append([index])
    last = max(len(found) - 1, 1)
    return found, last if task is None or not 0 < task < len(found) else task
