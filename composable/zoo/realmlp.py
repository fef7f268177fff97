"""RealMLP: a perceptron with the tricks that together make it strong on tables.

Holzmüller, Grinsztajn & Steinwart 2024, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on
Tabular Data", arXiv:2407.04491, figure 1 and appendix A. Categories are one-hot up to 17 codes (9 in
the paper), embedded beyond.

Half of the method is how it is trained: `composable.training.recipes` finds variables by the names that they
have here (`periodic_*`, `diagonal_scale`, `*_slope`, biases), and `composable.design.fitting` fits dense
layers to the rows before the first step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from keras import initializers, layers, ops
from pydantic import Field

from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.choice import Open
from composable.design.metaparameters import Count, Rate, checked
from composable.design.stems import concatenated
from composable.design.tables import prepare
from composable.design.tasks import regressor

Activation = Literal["selu", "mish"]
Deviation = Annotated[float, Field(gt=0)]


@component
def periodic(
    x: Mapping[str, Any], *, frequencies: Count = 16, width: Count = 3, deviation: Deviation = 0.1
) -> Any:
    """Cosines of each number at learned frequencies and phases, densely joined, beside the number (PBLD).

    Args:
        x: `plain` and `numbers` of the pre-stem.
        frequencies: Per number.
        width: Of what is made of them.
        deviation: Of the frequencies at the start.
    """
    if "numbers" not in x:
        return x["plain"]
    numbers, edge = x["numbers"].shape[-1], frequencies**-0.5
    angles = layers.EinsumDense(
        "bf,fh->bfh",
        (numbers, frequencies),
        bias_axes="fh",
        kernel_initializer=_normal(deviation),
        bias_initializer=_uniform(math.pi),
        name="periodic_angles",
    )(x["numbers"] * (2 * math.pi))
    joined = layers.EinsumDense(
        "bfh,fhd->bfd",
        (numbers, width),
        bias_axes="fd",
        kernel_initializer=_uniform(edge),
        bias_initializer=_uniform(edge),
        name="periodic_linear",
    )(ops.cos(angles))
    return layers.Concatenate()([x["plain"], layers.Flatten()(joined)])


@component
def diagonal_scale(x: Any) -> Any:
    """A learned factor for every feature, which soon tells the useful ones from the others."""
    return layers.EinsumDense("bd,d->bd", (x.shape[-1],), kernel_initializer="ones", name="diagonal_scale")(x)


@component
def ntk_block(
    x: Any, *, units: Count, activation: Activation = "selu", dropout: Rate = 0.15, name: str
) -> Any:
    """Dense, activation by degrees (none at slope 0, all of it at 1), dropout."""
    x = _ntk_dense(x, units, f"{name}_dense", bias="zeros")
    bent = layers.Activation(activation)(x)
    slope = layers.EinsumDense("bd,d->bd", (units,), kernel_initializer="ones", name=f"{name}_slope")
    x = layers.Add()([x, slope(layers.Subtract()([bent, x]))])
    return layers.Dropout(dropout)(x) if dropout else x


@component
def simple_block(x: Any, *, units: Count, activation: Activation = "selu", name: str) -> Any:
    """Dense and activation, as in RealMLP-TD-S; weights and biases begin normal."""
    return layers.Activation(activation)(_ntk_dense(x, units, f"{name}_dense", bias=_normal(1.0)))


@component
def ntk_scores(x: Any, *, units: Count, name: str) -> Any:
    """Weighted sums in the same parametrization."""
    return _ntk_dense(x, units, name, bias="zeros")


@component
def zero_scores(x: Any, *, units: Count, name: str) -> Any:
    """As `ntk_scores`, but all weights begin at zero: so does every score."""
    return _ntk_dense(x, units, name, kernel="zeros", bias="zeros")


@checked
def realmlp(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    units: tuple[Count, ...] = (256, 256, 256),
    activation: Activation | Open | None = None,
    dropout: Rate | Open = 0.15,
    frequencies: Count | Open = 16,
    deviation: Deviation | Open = 0.1,
) -> Architecture:
    """RealMLP-TD.

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        units: Per layer.
        activation: None for "mish" where all heads are regressors, "selu" otherwise.
        dropout: After every layer.
        frequencies: Of a number's cosines.
        deviation: Of the frequencies at the start.
    """
    stem = Part(periodic, frequencies=frequencies, deviation=deviation)
    learner = _blocks(units, activation or _usual(tasks), dropout)
    return _realmlp(categories, stem, learner, tasks)


@checked
def realmlp_s(
    *,
    tasks: tuple[Part | Task, ...] = (Part(regressor),),
    categories: tuple[int, ...] = (),
    units: tuple[Count, ...] = (256, 256, 256),
    activation: Activation | Open | None = None,
) -> Architecture:
    """RealMLP-TD-S, the simplified one: no cosines, no slopes, no dropout (section 3 of the paper).

    Args:
        tasks: One per head.
        categories: The number of codes of each category column.
        units: Per layer.
        activation: As in `realmlp`.
    """
    blocks = _simple_blocks(units, activation or _usual(tasks))
    return _realmlp(categories, Part(concatenated), blocks, tasks, scores=Part(zero_scores))


@checked
def realmlp_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """The architecture's part of the search space in TabArena."""
    stem = Part(
        periodic,
        frequencies=Choice((8, 16, 32, 64)),
        width=Choice((3, 7)),
        deviation=Between(0.01, 50.0, log=True),
    )
    width, dropout = Choice((256, 384, 512), name="units"), Between(0.0, 0.5, name="dropout")
    depths = tuple(_blocks((width,) * depth, _usual(tasks), dropout) for depth in (2, 3, 4))
    return _realmlp(categories, stem, Choice(depths), tasks)


@checked
def realmlp_s_space(
    *, tasks: tuple[Part | Task, ...] = (Part(regressor),), categories: tuple[int, ...] = ()
) -> Architecture:
    """Width and depth."""
    width = Choice((128, 256, 384, 512), name="units")
    depths = tuple(_simple_blocks((width,) * depth, _usual(tasks)) for depth in (2, 3, 4))
    return _realmlp(categories, Part(concatenated), Choice(depths), tasks, scores=Part(zero_scores))


def _realmlp(
    categories: tuple[int, ...],
    stem: Part,
    learner: Any,
    tasks: tuple[Part | Task, ...],
    scores: Part | None = None,
) -> Architecture:
    return Architecture(
        prestem=Part(prepare, categories=categories, bins=0, one_hot="scaled"),
        stem=(stem, Part(diagonal_scale)),
        learner=learner,
        tasks=Part(regressor, scores=scores or Part(ntk_scores)),
    ).with_tasks(*tasks)


def _blocks(units: tuple[Any, ...], activation: Any, dropout: Any) -> tuple[Part, ...]:
    return tuple(
        Part(ntk_block, units=count, activation=activation, dropout=dropout, name=f"hidden_{number}")
        for number, count in enumerate(units)
    )


def _simple_blocks(units: tuple[Any, ...], activation: Any) -> tuple[Part, ...]:
    return tuple(
        Part(simple_block, units=count, activation=activation, name=f"hidden_{number}")
        for number, count in enumerate(units)
    )


def _usual(tasks: tuple[Part | Task, ...]) -> Activation:
    """SELU for classes, Mish for numbers."""
    parts = [task.part if isinstance(task, Task) else task for task in tasks]
    return "mish" if all(part.component is regressor for part in parts) else "selu"


def _ntk_dense(x: Any, units: int, name: str, *, kernel: Any = None, bias: Any) -> Any:
    """A dense layer whose weights begin with variance one; the inputs are scaled instead (NTK)."""
    begin = kernel or _normal(1.0)
    dense = layers.Dense(units, kernel_initializer=begin, bias_initializer=bias, name=name)
    return dense(x * int(x.shape[-1]) ** -0.5)


def _normal(deviation: float) -> Any:
    return initializers.RandomNormal(stddev=deviation)


def _uniform(edge: float) -> Any:
    return initializers.RandomUniform(-edge, edge)
