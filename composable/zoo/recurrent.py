"""Recurrent stacks: layers that carry a state from step to step.

LSTM: Hochreiter & Schmidhuber 1997, "Long Short-Term Memory" (Neural Computation 9), with the forget gate of
Gers et al. 2000. GRU: Cho et al. 2014, arXiv:1406.1078. Stacked and in both directions: Graves, Mohamed &
Hinton 2013, "Speech Recognition with Deep Recurrent Neural Networks", arXiv:1303.5778, without its peepholes
and with one answer per sequence.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from composable.design import Architecture, Between, Choice, Part, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
from composable.design.part import Component
from composable.design.series import as_steps, last_step, like, step_mask
from composable.design.tasks import classifier


@component
def lstm(x: Any, *, units: Count, bidirectional: bool = False, dropout: Rate = 0.0) -> Any:
    """Long short-term memory: a cell that gates let in, keep and let out."""
    return _over_steps(x, layers.LSTM(units, return_sequences=True), bidirectional, dropout)


@component
def gru(x: Any, *, units: Count, bidirectional: bool = False, dropout: Rate = 0.0) -> Any:
    """Gated recurrent units: two gates and no cell."""
    return _over_steps(x, layers.GRU(units, return_sequences=True), bidirectional, dropout)


@component
def final_state(x: Any, *, bidirectional: bool = False) -> Any:
    """What is known after all steps: the last step's state, and the first one's of what runs backwards."""
    last = last_step(x)
    if not bidirectional:
        return last
    values, units = as_steps(x)[0], last.shape[-1] // 2
    return ops.concatenate([last[:, :units], values[:, 0, units:]], axis=-1)


def _over_steps(x: Any, layer: layers.Layer, bidirectional: bool, dropout: float) -> Any:  # noqa: FBT001
    """Backwards it skips padding; forwards that comes when all is seen."""
    values, _ = as_steps(x)
    values = layers.Bidirectional(layer)(values, mask=step_mask(x)) if bidirectional else layer(values)
    return like(x, layers.Dropout(dropout)(values) if dropout else values)


@checked
def lstm_stack(
    *,
    classes: Count = 10,
    units: tuple[Count | Open, ...] = (128, 128),
    bidirectional: bool | Open = False,
    dropout: Rate | Open = 0.0,
) -> Architecture:
    """Layers of long short-term memory one on another.

    Args:
        classes: How many there are.
        units: Of every layer, in each direction.
        bidirectional: Whether every layer also reads backwards.
        dropout: After every layer.
    """
    return _stack(lstm, classes, units, bidirectional, dropout)


@checked
def gru_stack(
    *,
    classes: Count = 10,
    units: tuple[Count | Open, ...] = (128, 128),
    bidirectional: bool | Open = False,
    dropout: Rate | Open = 0.0,
) -> Architecture:
    """Layers of gated recurrent units one on another.

    Args:
        classes: How many there are.
        units: Of every layer, in each direction.
        bidirectional: Whether every layer also reads backwards.
        dropout: After every layer.
    """
    return _stack(gru, classes, units, bidirectional, dropout)


@checked
def lstm_stack_space(*, classes: Count = 10) -> Architecture:
    """Depth, width and directions."""
    return _space(lstm, classes)


@checked
def gru_stack_space(*, classes: Count = 10) -> Architecture:
    """Depth, width and directions."""
    return _space(gru, classes)


def _stack(
    layer: Component, classes: int, units: tuple[Any, ...], bidirectional: Any, dropout: Any
) -> Architecture:
    return Architecture(
        learner=tuple(Part(layer, units=u, bidirectional=bidirectional, dropout=dropout) for u in units),
        tasks=Part(classifier, classes=classes, pool=Part(final_state, bidirectional=bidirectional)),
    )


def _space(layer: Component, classes: int) -> Architecture:
    directions = Choice((False, True), name="bidirectional")
    one = Part(layer, units=Choice((32, 64, 128, 256)), bidirectional=directions, dropout=Between(0.0, 0.5))
    return Architecture(
        learner=Choice(((one,), (one, one), (one, one, one))),
        tasks=Part(classifier, classes=classes, pool=Part(final_state, bidirectional=directions)),
    )
