"""Update rules: Keras's own and this project's Muon, as plain data.

The values that they begin with are zeros, which take nothing to compile.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import ops

from composable.core.errors import ConfigError
from composable.design.choice import plain
from composable.design.metaparameters import nearest
from composable.engine.muon import Muon

RULES: Mapping[str, type[keras.optimizers.Optimizer]] = {
    "adadelta": keras.optimizers.Adadelta,
    "adafactor": keras.optimizers.Adafactor,
    "adagrad": keras.optimizers.Adagrad,
    "adam": keras.optimizers.Adam,
    "adamax": keras.optimizers.Adamax,
    "adamw": keras.optimizers.AdamW,
    "ftrl": keras.optimizers.Ftrl,
    "lamb": keras.optimizers.Lamb,
    "lion": keras.optimizers.Lion,
    "muon": Muon,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


@dataclass(frozen=True)
class Rule:
    """An update rule of Keras, or this project's own Muon.

    Weight decay is none of it: an `Optimizer` decays the variables of all rules alike, so "adam" and "adamw"
    are one. Keras's schedule-free rule isn't among them: its state begins as a copy of the weights.

    Attributes:
        name: One of `RULES`.
        arguments: What its class takes beyond rates, decay, clipping, averages and accumulation:
            `{"beta_2": 0.95}`.

    Raises:
        ConfigError: If there is no such rule or argument.
    """

    name: str = "adamw"
    arguments: Mapping[str, bool | int | float | str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise ConfigError(
                "There is no such update rule.",
                received=repr(self.name)[:200],
                remedy=f"there are: {', '.join(RULES)}{nearest(str(self.name)[:100], RULES)}",
            )
        known = _arguments(self.name)
        for name in self.arguments:
            if name not in known:
                raise ConfigError(
                    f"The update rule {self.name} has no argument `{name[:100]}`.",
                    received=f"{name}={self.arguments[name]!r}"[:200],
                    remedy=f"it takes: {', '.join(known)}{nearest(name[:100], known)}",
                )
        object.__setattr__(self, "arguments", {name: plain(v) for name, v in self.arguments.items()})

    def __hash__(self) -> int:
        return hash((self.name, *sorted(self.arguments)))

    def build(self, *, name: str) -> Any:
        """Keras's optimizer for it, without variables yet."""
        return _beginning_on_host(self.name)(**self.arguments, name=name)


def takes(rule: Rule, variable: keras.Variable) -> bool:
    """Whether the rule can update it; all can but Muon, see `Muon.takes`."""
    if rule.name != "muon":
        return True
    layout: Any = {name: rule.arguments[name] for name in ("stacked", "outputs") if name in rule.arguments}
    return Muon.takes(variable, **layout)


@cache
def _beginning_on_host(name: str) -> Any:
    """The class of a rule, but that its state begins with zeros that aren't compiled."""
    rule: Any = RULES[name]

    def add_variable(self: Any, shape: Any, initializer: Any = "zeros", *rest: Any, **named: Any) -> Any:
        chosen = HostZeros() if initializer == "zeros" else initializer
        return rule.add_variable(self, shape, chosen, *rest, **named)

    return type(rule.__name__, (rule,), {"add_variable": add_variable})


@cache
def _arguments(name: str) -> tuple[str, ...]:
    shared = _parameters(keras.optimizers.SGD) & _parameters(keras.optimizers.Adam)  # an Optimizer's business
    return tuple(sorted(_parameters(RULES[name]) - shared))


def _parameters(rule: type) -> set[str]:
    return set(inspect.signature(rule.__init__).parameters)


class HostZeros(keras.initializers.Zeros):
    """Keras's zeros, made on the host.

    JAX compiles its own anew for every shape, in more time than a small network's first step takes.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Zeros of that shape."""
        dtype = keras.backend.standardize_dtype(dtype)
        return ops.convert_to_tensor(np.zeros(shape, dtype), dtype)
