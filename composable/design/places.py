"""Which layers of a built model come from which part of its architecture."""

from __future__ import annotations

import keras

from composable.design.architecture import Architecture
from composable.design.building import build
from composable.design.graph import layers_between
from composable.design.inputs import Inputs
from composable.design.outline import outlined
from composable.design.taps import tap
from composable.design.trail import Step


def places(
    architecture: Architecture, inputs: Inputs, *, name: str
) -> tuple[list[str], dict[str, list[int]]]:
    """The names of the layers up to a tap, and for each part those that it made, as numbers of layers.

    The parts are those of the stem and the learner, by their path: `stem`, `learner.0`, `learner.0.block[1]`.

    Args:
        architecture: Without openings.
        inputs: What it is built for.
        name: Of the tap.
    """

    def made() -> tuple[keras.Model, Step]:
        model, trail = build(architecture, inputs)
        return tap(model, name), trail

    model, trail = outlined(made)
    numbers = {layer.name: number for number, layer in enumerate(model.layers)}
    found = {}
    for step in _steps(trail):
        if step.path.startswith(("stem", "learner")):
            within = {layer.name for layer in layers_between(step.input, step.output)}
            found[step.path] = sorted(numbers[one] for one in within if one in numbers)
    return list(numbers), found


def _steps(step: Step) -> list[Step]:
    return [each for inner in step.steps for each in (inner, *_steps(inner))]
