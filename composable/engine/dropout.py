"""Keras's dropout layers with a rate that is a variable, so that it can change while a compiled program runs.

Keras's own read their rate in Python: another rate is another program. Under `jax.vmap` these take one rate
per instance. The mask is the one that Keras draws: a value is kept where a uniform number is below 1 - rate.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

RATE_NAME = "dropout_rate"
SMALLEST_KEPT = 1e-7  # a rate of 1 keeps nothing, and dividing by nothing would make the gradients NaN
SELU_SATURATION = -1.6732632423543772 * 1.0507009873554805  # Klambauer et al. 2017, -lambda alpha


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
            name=RATE_NAME,
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
        return ops.maximum(1.0 - rate, SMALLEST_KEPT)

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
        scale: Any = ops.rsqrt(kept * (1.0 + (1.0 - kept) * SELU_SATURATION**2))
        shift = -scale * SELU_SATURATION * (1.0 - kept)
        mask = ops.greater_equal(self._drawn(inputs, self.noise_shape), self.rate_variable)
        dropped = ops.where(mask, inputs, ops.cast(SELU_SATURATION, inputs.dtype))
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
