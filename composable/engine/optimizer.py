"""Optimizers: an update rule for each group of variables, with rates and weight decays of their own.

The description, `Optimizer`, is plain data. `build` makes a Keras optimizer of it, for any backend. What
changes while training is kept in its variables, where the engine sets it for every instance and step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from composable.core.errors import ConfigError
from composable.core.records import validated
from composable.engine.rules import Rule, takes


@dataclass(frozen=True)
class Group:
    """Variables that are trained in a way of their own.

    Attributes:
        match: A regular expression, sought in the variable's path: `block_1_dense/kernel`.
        rate: What the learning rate is multiplied by.
        decay: What the weight decay is multiplied by, beyond the rate.
        rule: None for the optimizer's.

    Raises:
        ConfigError: If that is no regular expression, or a multiplier is negative or infinite.
    """

    match: str
    rate: float = 1.0
    decay: float = 1.0
    rule: Rule | None = None

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as wrong:
            raise ConfigError(
                "A group is matched by a regular expression.", received=f"{self.match!r}: {wrong}"[:200]
            ) from None
        for name, value in (("rate", self.rate), ("decay", self.decay)):
            if not 0 <= value < float("inf"):
                raise ConfigError(f"The {name} of a group is a factor of at least 0.", received=repr(value))


ADAMW = Rule("adamw")
BIASES = Group(r"(^|/)bias$", decay=0.0)
"""Biases don't decay."""


@dataclass(frozen=True)
class Optimizer:
    """How gradients become updates.

    Attributes:
        rule: Of all variables that no group with a rule of its own takes.
        groups: The first one that matches takes the variable; one whose rule is Muon passes over what is no
            matrix or convolution. By default biases don't decay.
        clip: The global norm that gradients are clipped to; None for not.
        accumulate: Steps whose mean gradient makes one update.

    Raises:
        ConfigError: If `clip` or `accumulate` isn't positive.
    """

    rule: Rule = ADAMW
    groups: tuple[Group, ...] = (BIASES,)
    clip: float | None = None
    accumulate: int = 1

    def __post_init__(self) -> None:
        if self.clip is not None and not self.clip > 0:
            raise ConfigError("Gradients are clipped to a positive norm.", received=f"clip={self.clip!r}")
        if self.accumulate < 1:
            raise ConfigError(
                "An update takes the gradients of at least one step.",
                received=f"accumulate={self.accumulate!r}",
            )

    def build(
        self,
        trained: keras.Model | Sequence[keras.Variable],
        *,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
    ) -> GroupedOptimizer:
        """A Keras optimizer, built for the trainable variables of a model, or for these variables.

        Raises:
            ConfigError: If Muon is left with a variable that is no matrix or convolution.
        """
        made = GroupedOptimizer(self, learning_rate=learning_rate, weight_decay=weight_decay)
        made.build(list(trained.trainable_variables if isinstance(trained, keras.Model) else trained))
        return made


def assigned(optimizer: Optimizer, variables: Sequence[keras.Variable]) -> tuple[int, ...]:
    """For each variable the index of its group in `optimizer.groups`; their number, if none takes it.

    Raises:
        ConfigError: If Muon is left with a variable that is no matrix or convolution.
    """
    return tuple(_group_of(optimizer, variable) for variable in variables)


class Builds(Protocol):
    """What makes a Keras optimizer for a model: an `Optimizer`, or whatever holds a user's own."""

    def build(self, trained: keras.Model) -> Any:
        """Built for the model's trainable variables."""
        ...


def rate_indices(optimizer: Any) -> tuple[int | None, int | None]:
    """The indices of learning rate and weight decay among an optimizer's variables; None for one that isn't.

    A Keras optimizer with a schedule of its own has neither: it computes its rate from its count of steps.
    """
    if isinstance(optimizer, GroupedOptimizer):
        return optimizer.learning_rate_index, optimizer.decay_index
    rate = optimizer.learning_rate
    return next((index for index, one in enumerate(optimizer.variables) if one is rate), None), None


@dataclass(frozen=True, eq=False)
class _Member:
    """One group at work: its Keras rule and the indices of its variables."""

    group: int
    rule: Any
    indices: tuple[int, ...]


@keras.saving.register_keras_serializable(package="composable")
class GroupedOptimizer(keras.optimizers.Optimizer):
    """What `Optimizer.build` makes.

    Its `variables` begin with the number of steps, the learning rate, the weight decay, and the groups' rates
    and decays, shape (groups + 1,), the last for what no group takes; the state of the rules follows. All of
    them may be passed to `stateless_apply`, with a leading axis under `vmap`.

    A step takes p to p - p · decay · decays[g] · rate · rates[g] (decoupled: Loshchilov & Hutter 2019), and
    then updates it by the rule of group g at rate · rates[g].

    Attributes:
        description: The `Optimizer` that it was made from.
        decay: The weight decay, a variable. (Keras's own `weight_decay` is a constant, and stays None.)
        rates: The groups' multipliers of the rate, a variable.
        decays: The groups' multipliers of the decay, a variable.
    """

    def __init__(
        self,
        description: Optimizer,
        *,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        name: str = "optimizer",
    ) -> None:
        accumulate = description.accumulate if description.accumulate > 1 else None
        super().__init__(
            learning_rate=float(learning_rate),
            global_clipnorm=description.clip,
            gradient_accumulation_steps=accumulate,
            name=name,
        )
        self.description = description
        self.decay = self._scalars((), "weight_decay", [weight_decay])
        groups = (*description.groups, Group(""))
        self.rates = self._scalars((len(groups),), "group_rates", [group.rate for group in groups])
        self.decays = self._scalars((len(groups),), "group_decays", [group.decay for group in groups])
        self._members: Sequence[_Member] = ()

    @property
    def learning_rate_index(self) -> int:
        """The index of the learning rate in `variables`."""
        return self._index(self.learning_rate)

    @property
    def decay_index(self) -> int:
        """The index of the weight decay in `variables`."""
        return self._index(self.decay)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the state of the rules, once."""
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        groups = assigned(self.description, variables)
        self._members = tuple(
            self._member(group, variables, tuple(i for i, one in enumerate(groups) if one == group))
            for group in sorted(set(groups))
        )

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to make it anew."""
        return {
            "description": asdict(self.description),
            "learning_rate": _first(self.learning_rate),
            "weight_decay": _first(self.decay),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GroupedOptimizer:  # noqa: ARG003 (Keras's signature)
        """The reverse of `get_config`."""
        described = validated(Optimizer, config["description"], origin="The optimizer's configuration")
        return cls(**{**config, "description": described})

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        """What Keras calls, gradients clipped; the groups' rules go about it in the backend's own way."""
        pairs = {self._get_variable_index(v): (g, v) for g, v in zip(grads, trainable_variables, strict=True)}
        for member in self._members:
            present = [pairs[index] for index in member.indices if index in pairs]
            if not present:
                continue
            gradients, variables = (list(part) for part in zip(*present, strict=True))
            rate = learning_rate * self.rates[member.group]
            decay = self.decay * self.decays[member.group]
            for variable in variables:
                shrunk = variable * ops.cast(decay, variable.dtype) * ops.cast(rate, variable.dtype)
                variable.assign(variable - shrunk)
            member.rule._backend_update_step(gradients, variables, rate)  # noqa: SLF001 (Keras's own hook)

    def _member(self, group: int, variables: Sequence[keras.Variable], indices: tuple[int, ...]) -> _Member:
        groups = self.description.groups
        described = (groups[group].rule if group < len(groups) else None) or self.description.rule
        rule = described.build(name=f"{self.name}_{described.name}_{group}")
        before = len(rule.variables)
        rule.build([variables[index] for index in indices])
        for variable in rule.variables[before:]:
            self._track_variable(variable)
        rule._iterations = self._iterations  # noqa: SLF001 (all rules count the steps of the whole)
        rule.gradient_accumulation_steps = self.gradient_accumulation_steps
        return _Member(group, rule, indices)

    def _scalars(self, shape: tuple[int, ...], name: str, values: Sequence[float]) -> keras.Variable:
        made = self.add_variable(shape, dtype="float32", name=name)
        made.assign(np.reshape(np.asarray(values, "float32"), shape))
        return made

    def _index(self, wanted: Any) -> int:
        return next(index for index, variable in enumerate(self.variables) if variable is wanted)


def _group_of(optimizer: Optimizer, variable: keras.Variable) -> int:
    for index, group in enumerate(optimizer.groups):
        if re.search(group.match, variable.path) and takes(group.rule or optimizer.rule, variable):
            return index
    if not takes(optimizer.rule, variable):
        raise ConfigError(
            "Muon updates matrices and convolutions alone.",
            received=f"{variable.path}, of shape {tuple(variable.shape)}",
            remedy='give the optimizer another rule, and Muon to a group: Group("kernel", rule=Rule("muon"))',
        )
    return len(optimizer.groups)


def _first(variable: Any) -> float:
    """Rules begin each of their variables with one value."""
    return float(np.asarray(ops.convert_to_numpy(variable.value)).flat[0])
