"""The training copy of a model, which trains faster, or in ways that Keras's layers don't allow.

The model that a user has stays made of Keras's layers alone. In its training copy some of them are replaced
by this project's own. The copy has the same trainable variables in the same order, and a few more variables
that aren't trained.

Keras's own dropout layers read their rate in Python: another rate is another program. Those of the copy have
a rate that is a variable, so that it can change while a compiled program runs, and that under `jax.vmap` each
instance has its own. The mask is the one that Keras draws: a value is kept where a uniform number is below
1 - rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from composable.core.errors import ConfigError
from composable.engine.rules import HostZeros

Precision = Literal["float32", "bfloat16"]

_SCALING = (layers.Normalization, layers.Rescaling)

_RATE_NAME = "dropout_rate"
_SMALLEST_KEPT = 1e-7  # a rate of 1 keeps nothing, and dividing by nothing would make the gradients NaN
_SELU_SATURATION = -1.6732632423543772 * 1.0507009873554805  # Klambauer et al. 2017, -lambda alpha


def training_copy(model: keras.Model, *, precision: Precision = "float32") -> keras.Model:
    """A copy of `model` for training, with its values; the model is left as it is.

    Dropout layers become those below, whose rates are variables; where JAX computes on the CPU, the layers in
    which XLA is slow become those of `composable.engine.jax_cpu`. Layers within nested models are replaced
    too, those within wrappers (Bidirectional, TimeDistributed) aren't. A layer is replaced if it is exactly
    one of Keras's: a user's own subclass of it stays what it is.

    `copied.trainable_variables` correspond one to one to `model.trainable_variables`;
    `shared_indices` finds the model's other variables.

    A model that was written as a class, rather than composed of layers, can't be taken apart: it is returned
    as it is, as its own training copy.

    Args:
        model: Functional or Sequential, built. Which of its layers are frozen is read now: when that
            changes, it needs a new copy.
        precision: In which the layers compute. With "bfloat16" the variables stay float32, and so does what
            is computed by layers that scale inputs, that give the model's outputs, or that have a policy
            of their own.

    Raises:
        ConfigError: If the model isn't built, or is written as a class and should compute in bfloat16.
    """
    if not model.built:
        raise ConfigError(
            "A model must be built before it is trained.",
            received=f"{model.name!r}, whose input has no known shape",
            remedy="begin it with keras.Input(shape), or call it once",
        )
    if not hasattr(model, "operations") and not isinstance(model, keras.Sequential):
        if precision != "float32":
            raise ConfigError(
                "Only models that are composed of layers can be made to compute in bfloat16.",
                received=f"{model.name!r}, written as the class {type(model).__name__}",
                remedy="give its layers the policy mixed_bfloat16, and leave the precision float32",
            )
        return model
    # The bare graph: Keras would compile the copy of a compiled model, with its losses and metrics.
    graph: Any = keras.Model(*_ends(model), name=model.name)
    exact = frozenset(graph.output_names)

    def cloned(operation: Any) -> Any:
        config = operation.get_config()
        # The values come from the model.
        config |= {name: HostZeros() for name in config if name.endswith("_initializer") and config[name]}
        if precision == "bfloat16" and _may_be_rounded(operation, exact):
            config["dtype"] = "mixed_bfloat16"
        return _replacement(operation).from_config(config)

    copied = keras.models.clone_model(graph, clone_function=cloned, recursive=True)
    copy_values_to(model, copied)
    return copied


def _ends(model: keras.Model) -> tuple[Any, Any]:
    """Inputs and outputs as the model takes and gives them; a Sequential has only lists of one."""
    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def shared_indices(copied: keras.Model, model: keras.Model) -> list[int]:
    """For each of `model.non_trainable_variables`, its index among `copied.non_trainable_variables`.

    They come in the same order; those of the copy that aren't listed are this project's own.
    """
    if copied is model:
        return list(range(len(model.non_trainable_variables)))
    own = {id(v) for layer in _replaced_layers(copied) for v in layer.own_variables}
    return [number for number, v in enumerate(copied.non_trainable_variables) if id(v) not in own]


def copy_values_to(model: keras.Model, copied: keras.Model) -> None:
    """Give the training copy the model's values: weights, moving averages and states of random generators."""
    for own, source in _pairs(copied, model):
        own.assign(_copy(source))
    for layer in all_layers(copied):
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # it computes with constants that it derives from its variables


def dropout_rates(copied: keras.Model) -> list[keras.Variable]:
    """The rates of all dropout in a training copy, in the order of the layers: scalars of float32."""
    return [layer.rate_variable for layer in _replaced_layers(copied) if layer.rate_variable is not None]


def _pairs(copied: keras.Model, model: keras.Model) -> list[tuple[Any, Any]]:
    """Each variable of the training copy that the model has too, and the model's."""
    if copied is model:
        return []
    others = copied.non_trainable_variables
    shared = [others[index] for index in shared_indices(copied, model)]
    return [
        *zip(copied.trainable_variables, model.trainable_variables, strict=True),
        *zip(shared, model.non_trainable_variables, strict=True),
    ]


def _copy(variable: Any) -> np.ndarray:
    """Memory of its own, as training on JAX frees what it begins with; on the host, nothing is compiled."""
    return np.array(ops.convert_to_numpy(variable.value))


def _replacement(layer: Any) -> type:
    """This project's class for a layer of exactly one of Keras's classes; else the layer's own."""
    kind = type(layer)
    if kind in REPLACEMENTS:
        return REPLACEMENTS[kind]
    if keras.backend.backend() != "jax":
        return kind
    import jax

    if jax.default_backend() != "cpu":
        return kind
    from composable.engine import jax_cpu

    return jax_cpu.REPLACEMENTS[kind] if kind in jax_cpu.REPLACEMENTS and jax_cpu.covers(layer) else kind


def _may_be_rounded(operation: Any, exact: frozenset[str]) -> bool:
    """Not a year on its way to be normalized, nor a small probability: bfloat16 has eight bits for them."""
    plain = isinstance(operation, layers.Layer) and operation.dtype_policy.name == "float32"
    return plain and operation.name not in exact and not isinstance(operation, _SCALING)


def _replaced_layers(copied: keras.Model) -> list[Any]:
    """The layers that have variables beyond those of Keras's."""
    kinds = tuple(REPLACEMENTS.values())
    return [layer for layer in all_layers(copied) if isinstance(layer, kinds)]


def all_layers(model: keras.Model) -> Iterator[Any]:
    """Every layer once, those of nested models included, in the order of the graph."""
    seen: set[int] = set()
    waiting = list(reversed(model.layers))
    while waiting:
        layer = waiting.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        yield layer
        if isinstance(layer, keras.Model):
            waiting.extend(reversed(layer.layers))


class _VariableRate(keras.Layer):
    """What this project's dropout layers add to Keras's: the rate as a variable, and a seed even if it is 0.

    Attributes:
        rate_variable: The rate, between 0 and 1: a scalar of float32 that isn't trained.
        own_variables: Those that Keras's layer doesn't have.
    """

    rate: float
    seed: int | None
    seed_generator: keras.random.SeedGenerator

    def build(self, input_shape: Any) -> None:  # noqa: ARG002 (Keras's signature)
        self.rate_variable = self.add_weight(
            name=_RATE_NAME,
            shape=(),
            initializer=keras.initializers.Constant(self.rate),
            dtype="float32",
            trainable=False,
            autocast=False,
        )
        if not self.rate:
            self.seed_generator = keras.random.SeedGenerator(self.seed)

    @property
    def own_variables(self) -> list[Any]:
        return [self.rate_variable] if self.rate else [self.rate_variable, self.seed_generator.state]

    def _kept(self) -> Any:
        """The share that is kept, a scalar of float32."""
        rate: Any = ops.convert_to_tensor(self.rate_variable)
        return ops.maximum(1.0 - rate, _SMALLEST_KEPT)

    def _drawn(self, inputs: Any, noise_shape: Any) -> Any:
        """Uniform numbers in the shape of the noise, where None stands for the size of the inputs."""
        whole: Any = ops.shape(inputs)
        sizes = noise_shape or (None,) * len(whole)
        concrete = tuple(whole[axis] if size is None else size for axis, size in enumerate(sizes))
        return keras.random.uniform(concrete, dtype="float32", seed=self.seed_generator)

    def _dropped(self, inputs: Any, noise_shape: Any) -> Any:
        rate: Any = ops.convert_to_tensor(self.rate_variable)
        mask = ops.less(self._drawn(inputs, noise_shape), 1.0 - rate)
        return ops.where(mask, inputs / ops.cast(self._kept(), inputs.dtype), ops.zeros_like(inputs))


class Dropout(_VariableRate, layers.Dropout):
    """Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"."""

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102, FBT001, FBT002 (Keras's)
        return self._dropped(inputs, self.noise_shape) if training else inputs


class _SpatialDropout(_VariableRate):
    """Drops whole channels: the same for all positions. Tompson et al. 2014, arXiv:1411.4280, section 3.2."""

    data_format: str = "channels_last"  # Keras's for sequences has no other

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 (Keras's)
        if not training:
            return inputs
        positions = (1,) * (len(inputs.shape) - 2)
        first = self.data_format == "channels_first"
        return self._dropped(inputs, (None, None, *positions) if first else (None, *positions, None))


class SpatialDropout1D(_SpatialDropout, layers.SpatialDropout1D):
    """Drops whole channels of sequences."""


class SpatialDropout2D(_SpatialDropout, layers.SpatialDropout2D):
    """Drops whole channels of images."""


class SpatialDropout3D(_SpatialDropout, layers.SpatialDropout3D):
    """Drops whole channels of volumes."""


class GaussianDropout(_VariableRate, layers.GaussianDropout):
    """Factors of mean 1 and variance rate / (1 - rate). Srivastava et al. 2014, section 10."""

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102, FBT001, FBT002 (Keras's)
        if not training:
            return inputs
        kept = self._kept()
        spread: Any = ops.cast(ops.sqrt((1.0 - kept) / kept), inputs.dtype)
        noise = keras.random.normal(ops.shape(inputs), dtype=inputs.dtype, seed=self.seed_generator)
        return inputs * (1.0 + spread * noise)


class AlphaDropout(_VariableRate, layers.AlphaDropout):
    """Dropout to where SELU saturates, mean and variance kept. Klambauer et al. 2017, arXiv:1706.02515."""

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102, FBT001, FBT002 (Keras's)
        if not training:
            return inputs
        kept = self._kept()
        scale: Any = ops.rsqrt(kept * (1.0 + (1.0 - kept) * _SELU_SATURATION**2))
        shift = -scale * _SELU_SATURATION * (1.0 - kept)
        mask = ops.greater_equal(self._drawn(inputs, self.noise_shape), self.rate_variable)
        dropped = ops.where(mask, inputs, ops.cast(_SELU_SATURATION, inputs.dtype))
        factor: Any = ops.cast(scale, inputs.dtype)
        return factor * dropped + ops.cast(shift, inputs.dtype)


class MultiHeadAttention(layers.MultiHeadAttention):
    """Keras's attention, with this project's dropout of the scores. Vaswani et al. 2017, arXiv:1706.03762."""

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:  # noqa: D102 (Keras's)
        super().build(query_shape, value_shape, key_shape)
        if self.dropout:
            self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
            self._dropout_layer.build(query_shape)

    @property
    def rate_variable(self) -> Any:
        """The rate of the scores' dropout; there is none if Keras's layer has none."""
        return self._dropout_layer.rate_variable if self.dropout else None

    @property
    def own_variables(self) -> list[Any]:
        """The variables that Keras's layer doesn't have (what it would draw from stays, and isn't used)."""
        return self._dropout_layer.variables if self.dropout else []


REPLACEMENTS: dict[type, type] = {
    layers.Dropout: Dropout,
    layers.SpatialDropout1D: SpatialDropout1D,
    layers.SpatialDropout2D: SpatialDropout2D,
    layers.SpatialDropout3D: SpatialDropout3D,
    layers.GaussianDropout: GaussianDropout,
    layers.AlphaDropout: AlphaDropout,
    layers.MultiHeadAttention: MultiHeadAttention,
}
"""The class of a training copy for each of Keras's."""
