"""An architecture as a figure, in values: what stands where, what shape it gives, how many parameters it has.

`figure_svg.py` draws it; the command line prints it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from composable.design.graph import layers_between
from composable.design.part import Part
from composable.design.trail import Step, shapes

if TYPE_CHECKING:
    import keras

    from composable.design.architecture import Architecture

DEEPEST = 2  # parts in blocks in groups
MOST = 4  # rows in a part before those of one component become one
_ITEMS = 8  # of a tuple


@dataclass(frozen=True)
class Row:
    """A part where it stands, or several equal ones, one after another.

    Attributes:
        path: `learner.1`, or `block[0]` inside it; the first one's.
        component: Its name (`resnet.bottleneck`).
        settings: Its metaparameters, in words.
        shape: Of what it gives, without the rows; of several, what the last one gives, or nothing where they
            don't follow one another.
        parameters: Of all of them together; a layer that several parts share counts for the first.
        repeats: How many stand there.
        inner: The parts it is made of.
        task: The name of the task that it is, where several have one.
        reads: The tap that it reads, if it is a task.
    """

    path: str
    component: str
    settings: tuple[str, ...]
    shape: str
    parameters: int
    repeats: int = 1
    inner: tuple[Row, ...] = ()
    task: str = ""
    reads: str = ""


@dataclass(frozen=True)
class Figure:
    """The rows from the inputs to the tasks.

    Attributes:
        title: What the architecture is called.
        inputs: The shape of one row.
        rows: In the order in which data flows through them.
    """

    title: str
    inputs: str
    rows: tuple[Row, ...]


def figure(architecture: Architecture, trail: Step, *, title: str) -> Figure:
    """What an architecture looks like.

    Args:
        architecture: What was built.
        trail: Of building it, or its outline.
        title: What to call it.
    """
    counted: set[int] = set()
    rows = [_row(step, step.path, counted, DEEPEST) for step in trail.steps]
    for number, task in enumerate(architecture.tasks):
        at = next(i for i, row in enumerate(rows) if row.path == f"tasks.{number}")
        rows[at] = replace(rows[at], task=task.name, reads=task.reads)
    return Figure(title, shapes(trail.input), tuple(rows))


def _row(step: Step, path: str, counted: set[int], depth: int) -> Row:
    part = step.part
    layers = [layer for layer in layers_between(step.input, step.output) if id(layer) not in counted]
    within = set(counted)  # those inside count there too, each once
    inner = [_row(each, _last(each.path), within, depth - 1) for each in step.steps] if depth else []
    counted.update(map(id, layers))
    return Row(
        path,
        part.name if part else "",
        _settings(part) if part else (),
        shapes(step.output),
        sum(map(_parameters, layers)),
        inner=tuple(_folded(inner, shapes(step.output))),
    )


def _last(path: str) -> str:
    """`block[0]` of `learner.2.block[0]`."""
    return path.rpartition(".")[2]


def _parameters(layer: keras.Layer) -> int:
    return sum(math.prod(weight.shape) for weight in layer.weights)


def _settings(part: Part) -> tuple[str, ...]:
    return tuple(f"{name} {_shown(value)}" for name, value in part.metaparameters.items())


def _shown(value: Any) -> str:
    if isinstance(value, Part):
        return value.name.rpartition(".")[2]
    if isinstance(value, tuple):
        items = [_shown(item) for item in value]
        return f"({', '.join(items if len(items) <= _ITEMS else [*items[:_ITEMS], '...'])})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _folded(rows: Sequence[Row], shape: str) -> list[Row]:
    """Equal neighbors as one row; where many remain, those of one component, whatever their sizes.

    Args:
        rows: Inside a part.
        shape: The shape that the part gives.
    """
    folded = _joined(rows, lambda one: (one.component, one.settings, one.shape, one.parameters, one.inner))
    if len(folded) <= MOST:
        return folded
    last = rows[-1].shape == shape  # else they may stand side by side, and no shape is that of all
    joined = _joined(rows, lambda one: (one.component, one.settings))
    return [row if row.repeats == 1 or last else replace(row, shape="") for row in joined]


def _joined(rows: Sequence[Row], sameness: Callable[[Row], Any]) -> list[Row]:
    joined: list[Row] = []
    for _, alike in groupby(rows, sameness):
        first, *others = alike
        same = all(row.inner == first.inner for row in others)
        joined.append(
            replace(
                first,
                shape=[first, *others][-1].shape,
                parameters=sum(row.parameters for row in (first, *others)),
                repeats=1 + len(others),
                inner=_together(first.inner, 1 + len(others)) if same else (),
            )
        )
    return joined


def _together(rows: tuple[Row, ...], parts: int) -> tuple[Row, ...]:
    """What is inside each of several equal parts, with the parameters of all of them."""
    return tuple(
        replace(row, parameters=row.parameters * parts, inner=_together(row.inner, parts)) for row in rows
    )
