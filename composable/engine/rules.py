"""Update rules: Keras's own and this project's Muon, as plain data.

The values that they begin with are zeros, which take nothing to compile.

Muon is momentum made orthogonal, for matrices and convolutions: Jordan et al. 2024, "Muon: An optimizer for
hidden layers in neural networks", kellerjordan.github.io/posts/muon. Convolutions are treated as in
airbench94_muon (github.com/KellerJordan/cifar10-airbench): as the matrix [outputs, rest].
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from composable.core.errors import ConfigError
from composable.design.choice import plain
from composable.design.metaparameters import nearest

Precision = Literal["float32", "bfloat16"]


def orthogonalized(
    matrices: Any,
    *,
    steps: int = 5,
    coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
    precision: Precision = "float32",
) -> Any:
    """Nearly the orthogonal factor U Vᵀ of each matrix U S Vᵀ, by the quintic Newton-Schulz iteration.

    With the usual coefficients five steps bring the singular values to between 0.7 and 1.2 or so, unless they
    were tiny beside the largest.

    Args:
        matrices: Shape (..., rows, columns).
        steps: Of the iteration X ← a X + (b A + c A²) X, where A = X Xᵀ.
        coefficients: a, b and c.
        precision: Of the iteration; "bfloat16" is as good, and fast on a GPU.

    Returns:
        The same shape and type.
    """
    a, b, c = coefficients
    x: Any = ops.cast(matrices, precision)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = ops.swapaxes(x, -1, -2)
    norm: Any = ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True))
    x = x / (norm + 1e-7)
    for _ in range(steps):
        gram: Any = ops.matmul(x, ops.swapaxes(x, -1, -2))
        square: Any = ops.matmul(gram, gram)
        product: Any = ops.matmul(b * gram + c * square, x)
        x = a * x + product
    if tall:
        x = ops.swapaxes(x, -1, -2)
    return ops.cast(x, matrices.dtype)


class Muon(keras.optimizers.Optimizer):
    """The update rule of Muon, for variables that it `takes`: a group of an `Optimizer`.

    A kernel in Keras's layout is read as stacked matrices, then inputs, then outputs: (inputs, outputs) of a
    dense layer, (height, width, inputs, outputs) of a convolution, (members, inputs, outputs) of an
    `EinsumDense` that holds one matrix per member (`stacked=1`), (inputs, heads, width) of the queries of an
    attention (`outputs=2`).

    Args:
        learning_rate: Set step by step by the optimizer around it.
        momentum: Of the gradients' running sum.
        nesterov: Whether the newest gradient counts once more.
        steps: Newton-Schulz steps; airbench takes 3.
        a, b, c: Their coefficients.
        precision: Of these steps.
        rms: If set, the update's root mean square is about this in whatever shape, so that Muon can have
            the rate and decay of AdamW: it is multiplied by rms · √max(rows, columns) (Liu et al. 2025, "Muon
            is Scalable for LLM Training", arXiv:2502.16982, section 2.2). None for one of spectral norm 1.
        renormalize: Whether each matrix is first brought to the Frobenius norm √outputs, as in airbench;
            weight decay then changes nothing.
        stacked: Leading axes of the kernel that number matrices.
        outputs: Trailing axes of the kernel that make up the outputs.
        name: Of the optimizer.
    """

    def __init__(  # noqa: PLR0913 (Keras's rules are flat)
        self,
        learning_rate: float = 0.02,
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        steps: int = 5,
        a: float = 3.4445,
        b: float = -4.7750,
        c: float = 2.0315,
        precision: Precision = "float32",
        rms: float | None = 0.2,
        renormalize: bool = False,
        stacked: int = 0,
        outputs: int = 1,
        name: str = "muon",
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name)
        self.momentum, self.nesterov = momentum, nesterov
        self.steps, self.a, self.b, self.c = steps, a, b, c
        self.precision: Precision = precision
        self.rms, self.renormalize = rms, renormalize
        self.stacked, self.outputs = stacked, outputs

    @staticmethod
    def takes(variable: keras.Variable, *, stacked: int = 0, outputs: int = 1) -> bool:
        """Whether it is a matrix, or a convolution that mixes channels; embeddings are neither.

        A vector, or a depthwise kernel (height, width, channels, 1), has no singular value but its norm.
        """
        shape, path = tuple(variable.shape), variable.path.lower()
        if len(shape) < stacked + outputs + 1 or "embedding" in path or "depthwise" in path:
            return False
        return min(_sizes(shape, stacked, outputs)) > 1

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the momenta, once."""
        if self.built:
            return
        super().build(list(variables))
        self.momenta = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one kernel."""
        kept = self.momenta[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(kept, kept * self.momentum + gradient)
        direction = gradient + kept * self.momentum if self.nesterov else ops.convert_to_tensor(kept)
        update: Any = orthogonalized(
            self._matrices(direction),
            steps=self.steps,
            coefficients=(self.a, self.b, self.c),
            precision=self.precision,
        )
        if self.rms is not None:
            update = update * (self.rms * math.sqrt(max(self._sizes_of(variable))))
        if self.renormalize:
            self.assign(variable, self._renormalized(ops.convert_to_tensor(variable)))
        rate: Any = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, ops.reshape(update, variable.shape) * rate)

    def _matrices(self, kernel: Any) -> Any:
        """Inputs are the rows: whether a matrix or its transpose is made orthogonal is all the same."""
        return ops.reshape(kernel, (*kernel.shape[: self.stacked], *self._sizes_of(kernel)))

    def _renormalized(self, kernel: Any) -> Any:
        matrices = self._matrices(kernel)
        norm: Any = ops.sqrt(ops.sum(ops.square(matrices), axis=(-2, -1), keepdims=True))
        return ops.reshape(matrices * (math.sqrt(matrices.shape[-1]) / (norm + 1e-7)), kernel.shape)

    def _sizes_of(self, kernel: Any) -> tuple[int, int]:
        return _sizes(tuple(kernel.shape), self.stacked, self.outputs)


def _sizes(shape: tuple[int, ...], stacked: int, outputs: int) -> tuple[int, int]:
    """Inputs and outputs of a kernel's matrix."""
    return math.prod(shape[stacked:-outputs]), math.prod(shape[-outputs:])


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
