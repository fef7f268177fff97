"""What `composable design` answers of one design, and the sizes and counts that a user types to ask."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from composable.core.backend import choose_backend
from composable.core.errors import ConfigError

if TYPE_CHECKING:  # all of it imports Keras, and the backend has to be chosen before
    from composable.design.architecture import Architecture
    from composable.design.figure import Figure
    from composable.design.inputs import Inputs

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_COUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)([kmgb]?)", re.IGNORECASE)
_SHAPE = re.compile(r"(?:(?P<name>\w+)=)?(?P<sizes>(?:\d+|\?)(?:,(?:\d+|\?))*),?(?::(?P<dtype>[a-z]+\d*))?")


@dataclass(frozen=True)
class Facts:
    """A design, looked at.

    Attributes:
        architecture: As it was written.
        inputs: What it takes; None for a search space that nobody gave a size.
        answer: What `--json` prints.
        figure: None for a search space.
    """

    architecture: Architecture
    inputs: Inputs | None
    answer: dict[str, Any]
    figure: Figure | None

    def latency(self, batches: Sequence[int]) -> dict[str, Any]:
        """How many seconds predicting takes, by the rows of a batch.

        Raises:
            ConfigError: If the design has open choices.
        """
        from composable.engine.predict import latency

        if self.inputs is None or self.figure is None:
            raise _open(self.answer["name"])
        model = self.architecture.build(self.inputs)
        return {"latency_seconds": {str(rows): latency(model, rows) for rows in batches}}


def seen(design: str, typed: Sequence[TypedInput] = (), backend: str | None = None) -> Facts:
    """Find a design, outline it and count it; of a search space, what it leaves open.

    Raises:
        ConfigError: If there is no such design, it doesn't fit its input, or nothing says what that is.
    """
    choose_backend(backend)
    from composable.design.building import outline
    from composable.design.cost import cost
    from composable.design.figure import figure
    from composable.zoo.catalog.parse import parse_design

    written = parse_design(design)
    inputs = _inputs(typed, written.inputs)
    answer: dict[str, Any] = {
        "name": written.name,
        "family": written.family,
        "metaparameters": dict(written.metaparameters),
        "input_shape": _shape(inputs),
    }
    if openings := written.architecture.openings():
        answer["openings"] = {path: _opening(opening) for path, opening in openings.items()}
        return Facts(written.architecture, inputs, answer, None)
    if inputs is None:
        raise _no_input(design)
    model, trail = outline(written.architecture, inputs)
    found = cost(model)
    answer |= {
        "parameters": {"total": found.parameters, "trainable": found.trainable},
        "multiply_adds": found.multiply_adds,
        "bytes": found.bytes,
        "activation_bytes": found.activation_bytes,
    }
    return Facts(
        written.architecture, inputs, answer, figure(written.architecture, trail, title=written.name)
    )


def source_of(design: str, typed: Sequence[TypedInput]) -> tuple[str, str]:
    """The design's name, and its Python file.

    Raises:
        ConfigError: As `seen`, and if it has open choices.
    """
    choose_backend()
    from composable.codegen.program import source
    from composable.zoo.catalog.parse import parse_design

    written = parse_design(design)
    inputs = _inputs(typed, written.inputs)
    if inputs is None:
        raise _no_input(design)
    return written.name, source(written.architecture, inputs, name=written.name)


def searched(
    design: str,
    typed: Sequence[TypedInput],
    backend: str | None,
    limits: Mapping[str, float],
    *,
    draws: int,
    seed: int,
) -> tuple[str, list[dict[str, Any]]]:
    """The name of a search space, and its networks that were scored untrained, the most promising one first.

    Raises:
        ConfigError: As `seen`, and if it has no open choices, or no network within the limits.
    """
    choose_backend(backend)
    from composable.design.evolve import decisions
    from composable.search.untrained import CostLimits, search_untrained
    from composable.search.zero_cost import UNTRAINED
    from composable.zoo.catalog.parse import parse_design

    written = parse_design(design)
    inputs, space = _inputs(typed, written.inputs), written.architecture
    if inputs is None:
        raise _no_input(design)
    if not (openings := space.openings()):
        raise ConfigError(
            "A search needs a design that leaves something open.",
            received=f"{written.name}, which is closed",
            remedy="name a family's space (resnet_cifar_space), or put Choice((16, 32)) into your design",
        )
    found = search_untrained(space, inputs, limits=CostLimits(**limits), draws=draws, seed=seed)
    return written.name, [
        {
            "promise": one.promise,
            "on_front": one.on_front,
            "decisions": {
                path: _decided(openings[path], value)
                for path, value in decisions(space, one.architecture).items()
            },
            **{score: getattr(one.scores, score) for score in UNTRAINED},
            "architecture": one.architecture,
        }
        for one in found
    ]


def drawn(facts: Facts) -> str:
    """The figure as the text of an SVG file.

    Raises:
        ConfigError: If the design has open choices.
    """
    from composable.design.figure import figure_svg

    if facts.figure is None:
        raise _open(facts.answer["name"])
    return figure_svg(facts.figure)


def _inputs(typed: Sequence[TypedInput], default: Inputs | None) -> Inputs | None:
    """What was typed; where no type was, that of the design's own input."""
    from composable.design.inputs import Input, as_inputs

    if not typed:
        return default
    own = as_inputs(default) if default is not None else Input(())
    known = own if isinstance(own, dict) else {"": own}
    given = {
        each.name: Input(each.shape, each.dtype or known.get(each.name, Input(())).dtype) for each in typed
    }
    if len(given) < len(typed) or ("" in given and len(given) > 1):
        raise ConfigError(
            "Several inputs have different names.",
            received=", ".join(each.name or "one without a name" for each in typed),
            remedy="--input image=32,32,3 --input age=1",
        )
    return given.get("") or {**(own if isinstance(own, dict) else {}), **given}


def _shape(inputs: Inputs | None) -> Any:
    from composable.design.inputs import Input, as_inputs

    if inputs is None:
        return None
    match as_inputs(inputs):
        case Input(shape):
            return list(shape)
        case several:
            return {name: list(each.shape) for name, each in several.items()}


def _opening(opening: Any) -> dict[str, Any]:
    from composable.design.choice import Between

    if isinstance(opening, Between):
        return {"low": opening.low, "high": opening.high, "log": opening.log}
    return {"options": [_plain(each) for each in opening.options]}


def _decided(opening: Any, value: Any) -> Any:
    """What was chosen; where that leaves something open itself, its number among the options: `[1]`."""
    from composable.design.openings import openings

    return f"[{opening.options.index(value)}]" if openings(value) else _plain(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (type(None), bool, int, float, str)) else repr(value)


def _no_input(design: str) -> ConfigError:
    return ConfigError(
        "A design of your own needs the shape of one row to be built.",
        received=f"{design} without --input",
        remedy="for example --input 32,32,3",
    )


def _open(name: str) -> ConfigError:
    return ConfigError(
        "Only a design with nothing open can be drawn and measured.",
        received=f"{name} has open choices",
        remedy="`composable design show` without --svg and --latency lists them",
    )


class Amount(click.ParamType):
    """`5M`, `500k`, `1e6` or `5000000`."""

    name = "count"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        typed = _COUNT.fullmatch(value.strip())
        if not typed:
            self.fail(f"{value!r} is no count; it takes 5M, 500k, 1e6 or a whole number.", param, ctx)
        return float(typed[1]) * UNITS[typed[2].lower()]


@dataclass(frozen=True)
class TypedInput:
    """One input as it was typed: its name, if there are several, its shape, and its type, if it was said."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class InputShape(click.ParamType):
    """`32,32,3`; `?` for a free size; `image=32,32,3` of several inputs; `64:int32` for codes."""

    name = "shape"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> TypedInput:
        """The input."""
        typed = _SHAPE.fullmatch(value.replace(" ", ""))
        if not typed:
            self.fail(f"{value!r} is no shape; it takes 32,32,3 (or image=32,32,3 or 64:int32).", param, ctx)
        sizes = tuple(None if size == "?" else int(size) for size in typed["sizes"].split(","))
        return TypedInput(typed["name"] or "", sizes, typed["dtype"] or "")
