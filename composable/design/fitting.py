"""Frozen weights that are fitted to training rows before the first step, wherever in a network they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import keras

from composable.core.seeds import derive

Fit = Callable[[keras.Model, Any, int], None]  # model, inputs, seed
Registered = TypeVar("Registered", bound=Fit)

_FITS: dict[str, Fit] = {}


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
