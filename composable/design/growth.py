"""A larger network that computes what a smaller one does, weights and all: it goes on from where that one is.

Wider: Chen, Goodfellow & Shlens 2016, "Net2Net: Accelerating Learning via Knowledge Transfer",
arXiv:1511.05641, section 2.2: a channel more is a copy of one that is there, and what reads both shares its
weights among them. The shares differ, so that the copies learn different things. Deeper: a further residual
block begins as nothing but its shortcut (Goyal et al. 2017, arXiv:1706.02677, section 5.1: the last scale of
a branch is zero; Wei et al. 2016, "Network Morphism", arXiv:1603.01670).

What a layer does to the channels that it is given is followed along the graph, and at last both networks are
asked: one that doesn't answer the same is never given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.architecture import Architecture
from composable.design.building import build, outline
from composable.design.cost import FREE
from composable.design.graph import Applied, computation, deep_graphs, layers_between
from composable.design.inputs import Input, Inputs, as_inputs
from composable.design.part import Step

_ROWS = 4  # that both networks are asked for
_CLOSE = 1e-3  # how far answers may differ, beside their size: sums are taken in another order
_PRODUCTS = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
_BY_CHANNEL = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
)
_JOINED = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "True_divide", "Divide")
Channels = np.ndarray | None
"""For each channel of a tensor the one of the smaller network that it equals; None within further blocks."""


@deep_graphs()
def grown(
    model: keras.Model, architecture: Architecture, larger: Architecture, inputs: Inputs, *, seed: int = 0
) -> keras.Model:
    """A network of the larger architecture that answers what a network of the smaller one does.

    Args:
        model: Of the smaller one, trained.
        architecture: The smaller one.
        larger: With wider layers, or further residual blocks that neither stride nor change the width.
        inputs: What both take in.
        seed: Of the shares in which copies are read, and of what else is drawn.

    Returns:
        A new model; the other one stays as it is.

    Raises:
        ConfigError: If the larger one doesn't continue the smaller one so that it can answer the same.
    """
    random = np.random.default_rng(derive(seed, "growth"))
    _, trail = outline(architecture, inputs)
    new, new_trail = build(larger, inputs)
    further = _further(trail, new_trail)
    _begin_as_shortcuts(further)
    inside = {id(layer) for step in further for layer in layers_between(step.input, step.output)}
    _inherit(_operations(model), _operations(new), inside, random)
    _check_answers(model, new, inputs, random)
    return new


def _operations(model: keras.Model) -> list[Applied]:
    return computation(model, free=FREE)[1]


def _further(trail: Step, new_trail: Step) -> list[Step]:
    """The outermost parts that only the larger one has."""
    known = {step.path for step in _all(trail)}
    return list(_unknown(new_trail.steps, known))


def _all(step: Step) -> Iterable[Step]:
    for inner in step.steps:
        yield inner
        yield from _all(inner)


def _unknown(steps: Sequence[Step], known: set[str]) -> Iterable[Step]:
    for step in steps:
        if step.path not in known:
            yield step
        else:
            yield from _unknown(step.steps, known)


def _begin_as_shortcuts(further: Sequence[Step]) -> None:
    """Let what a block adds to its shortcut be zero."""
    for step in further:
        found = layers_between(step.input, step.output)
        adding = [layer for layer in found if isinstance(layer, layers.Add)]
        if not adding:
            raise _no_growth(f"{step.path} adds nothing to a shortcut")
        for layer in adding:
            for tensor in layer.input:
                if tensor is not step.input:
                    _silence(tensor, step)


def _silence(tensor: Any, step: Step) -> None:
    """Set the last weights that lead to a tensor to zero."""
    while tensor is not step.input:
        layer = tensor._keras_history.operation  # noqa: SLF001 (Keras has no other way to what made a tensor)
        if isinstance(layer, keras.Layer) and layer.trainable_variables:
            for variable in layer.trainable_variables:
                variable.assign(np.zeros(variable.shape, variable.dtype))
            return
        tensor = keras.tree.flatten(layer.input)[0]
    raise _no_growth(f"{step.path} changes the size of what it is given")


def _inherit(
    old: Sequence[Applied], new: Sequence[Applied], further: set[int], random: np.random.Generator
) -> None:
    """Give the larger network's layers what those of the smaller one have, in the order of computation."""
    kept = [each for each in new if id(each.operation) not in further]
    if [type(each.operation) for each in old] != [type(each.operation) for each in kept]:
        raise _no_growth("its other layers aren't those of the smaller network")
    ours = dict(zip(map(id, kept), old, strict=True))
    known: dict[int, Channels] = {}
    for each in new:
        channels = [known.get(id(x), np.arange(x.shape[-1])) for x in each.inputs]
        if id(each) in ours:
            made = _taken_over(ours[id(each)], each, channels, random)
        else:  # the shortcut goes on as it is; what it is added to is nothing
            made = next((c for c in channels if c is not None), None) if _is_joining(each) else None
        known.update((id(y), made) for y in each.outputs)


def _is_joining(each: Applied) -> bool:
    after_joining = not getattr(each.operation, "variables", ()) and len(each.inputs) == 1
    return type(each.operation).__name__ in _JOINED or after_joining


def _taken_over(
    old: Applied, new: Applied, channels: list[Channels], random: np.random.Generator
) -> Channels:
    """The channels that a layer makes, once it has the smaller one's weights."""
    before: Any = old.operation
    after: Any = new.operation
    given = channels[0] if channels else None
    made = _copies(old.outputs[0].shape[-1], new.outputs[0].shape[-1])
    if isinstance(after, layers.Embedding):
        after.set_weights([table[:, made] for table in _weights(before)])
        return made
    if given is None:
        raise _no_growth(f"{after.name} follows a part whose channels aren't known")
    if isinstance(after, layers.Concatenate):
        sizes = np.cumsum([0, *(x.shape[-1] for x in old.inputs)])
        return np.concatenate([size + c for size, c in zip(sizes, channels, strict=False) if c is not None])
    if type(after) in _PRODUCTS:
        kernel, *bias = _weights(before)
        shares = _shares(given, random)
        wider = kernel[..., given, :] * shares[:, None]
        after.set_weights([wider[..., made], *(one[made] for one in bias)])
        return made
    if type(after) in _BY_CHANNEL:
        # Of a depthwise kernel the channels are the axis before the last.
        after.set_weights([w[..., given, :] if w.ndim > 1 else w[given] for w in _weights(before)])
        return given
    if getattr(after, "variables", ()):
        if [v.shape for v in after.variables] != [v.shape for v in before.variables]:
            raise _no_growth(f"{type(after).__name__} can't be made wider")
        after.set_weights(_weights(before))
        return made
    return _passed_on(old, new, given)


def _passed_on(old: Applied, new: Applied, given: np.ndarray) -> np.ndarray:
    """The channels of what has no weights; where positions become channels, each position has all of them."""
    out, width, ours = new.outputs[0].shape[-1], len(given), old.inputs[0].shape[-1]
    if out == width:
        return given
    if out % width or old.outputs[0].shape[-1] != ours * (out // width):
        return np.arange(out)
    return np.concatenate([ours * position + given for position in range(out // width)])


def _copies(old: int, new: int) -> np.ndarray:
    """The channels that there are, then copies of them in their order."""
    if new < old:
        raise _no_growth(f"a layer has {new} channels instead of {old}")
    return np.arange(new) % max(1, old)


def _shares(given: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """In which each copy of a channel is read: they sum to one over the copies, and all differ."""
    raw = random.uniform(0.5, 1.5, len(given))
    return raw / np.bincount(given, weights=raw)[given]


def _weights(layer: Any) -> list[np.ndarray]:
    return [np.asarray(one) for one in layer.get_weights()]


def _check_answers(model: keras.Model, new: keras.Model, inputs: Inputs, random: np.random.Generator) -> None:
    given = as_inputs(inputs)
    several = given if isinstance(given, dict) else {"": given}
    drawn = {name: _drawn(one, random) for name, one in several.items()}
    rows = drawn if isinstance(given, dict) else drawn[""]
    pairs = zip(*(keras.tree.flatten(each.predict_on_batch(rows)) for each in (model, new)), strict=True)
    for ours, theirs in pairs:
        scale = float(np.abs(ours).max()) + _CLOSE
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=_CLOSE, atol=_CLOSE * scale):
            raise _no_growth("with the smaller one's weights it answers something else")


def _drawn(one: Input, random: np.random.Generator) -> np.ndarray:
    shape = (_ROWS, *(size or FREE for size in one.shape))
    if "int" in one.dtype:
        return random.integers(0, 2, shape).astype(one.dtype)
    return random.normal(size=shape).astype(one.dtype)


def _no_growth(why: str) -> ConfigError:
    return ConfigError(
        "A network grows into one with wider layers, or with further residual blocks of the same width.",
        received=why,
        remedy="change widths and numbers of blocks alone, or train the larger one anew",
    )
