"""What is fitted to training rows before the first step, wherever in a network it is.

Frozen weights of components that register for it; and weights and biases, layer after layer, that begin
where the rows lie (RealMLP).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras
import numpy as np
from keras import initializers, layers, ops

from composable.core.seeds import derive

Fit = Callable[[keras.Model, Any, int], None]  # model, inputs, seed
Registered = TypeVar("Registered", bound=Fit)
_FITS: dict[str, Fit] = {}
INIT_ROWS = 1024  # looked at: more change little, and one number of rows is one compiled program
_DRAWN = 5  # rows for each bias
_LEAST = 1e-6  # of a standard deviation; below, the unit is constant


def fitted(fit: Registered) -> Registered:
    """Register what fits a component's weights; it does nothing to a model without that component.

    They run in the order in which their modules are imported, so what a
    component builds on is fitted before it.
    """
    _FITS[f"{fit.__module__}.{fit.__name__}"] = fit
    return fit


def fit_to_rows(model: keras.Model, inputs: Any, *, seed: int) -> None:
    """Fit all components of a model that are fitted to rows.

    Args:
        model: Changed in place.
        inputs: As the model takes them: training rows alone.
        seed: For everything random.
    """
    for name, fit in _FITS.items():
        fit(model, inputs, derive(seed, name))


def data_init(model: keras.Model) -> Callable[[Mapping[str, np.ndarray], int], None]:
    """What fits the dense layers that ask for it to rows, which must be training rows.

    Asking for it are those whose weights begin standard normal and whose biases begin at zero. First each
    unit's weights are divided by the standard deviation of its output, so that it is 1 ("std"). Then its
    bias is set to minus the mean of its output over five random rows, with random weights, so that the
    points where activations bend lie among the rows ("he+5": Steinwart 2019, "A Sober Look at Neural Network
    Initializations", arXiv:1903.11482). The next layer sees what comes of that. Holzmueller et al. 2024,
    arXiv:2407.04491, appendix A.

    Args:
        model: Fitted each time before, by `composable.design.tables.adapt`, to the same rows.

    Returns:
        A function of rows (arrays by the names of the model's inputs) and a seed of what is drawn. It does
        nothing if no layer asks for it. Its first call compiles a program, the others use that.
    """
    asking = [layer for layer in model.layers if _asks(layer)]
    if not asking:
        return lambda _inputs, _seed: None
    probe = keras.Model(model.input, [layer.input for layer in asking])

    def fit(inputs: Mapping[str, np.ndarray], seed: int) -> None:
        rng = np.random.default_rng(seed)
        rows = _some_rows(inputs, rng)
        for number, layer in enumerate(asking):
            kernel = np.asarray(ops.convert_to_numpy(layer.kernel))
            outputs = probe.predict_on_batch(rows)[number] @ kernel
            spread = outputs.std(axis=0)
            factor = 1.0 / np.where(spread > _LEAST, spread, 1.0)
            layer.set_weights([kernel * factor, _biases(outputs * factor, rng)])

    return fit


def _asks(layer: Any) -> bool:
    return (
        isinstance(layer, layers.Dense)
        and isinstance(layer.kernel_initializer, initializers.RandomNormal)
        and layer.kernel_initializer.stddev == 1.0
        and isinstance(layer.bias_initializer, initializers.Zeros)
    )


def _some_rows(inputs: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Always as many; where there are fewer, each is taken about as often as the others."""
    count = len(next(iter(inputs.values())))
    chosen = np.resize(rng.permutation(count), INIT_ROWS)
    return {name: values[chosen] for name, values in inputs.items()}


def _biases(outputs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each unit minus a random convex combination of its outputs for some rows."""
    units = outputs.shape[1]
    rows = rng.integers(len(outputs), size=(_DRAWN, units))
    shares = rng.exponential(size=(_DRAWN, units))
    means = (shares / shares.sum(axis=0) * outputs[rows, np.arange(units)]).sum(axis=0)
    return -means.astype("float32")
