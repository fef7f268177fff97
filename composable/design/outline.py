"""Outlines: models whose weights have shapes but no values, so that any size is built in a moment."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import keras

from composable.design.building import build
from composable.design.inputs import Inputs
from composable.design.trail import Step

if TYPE_CHECKING:
    from composable.design.architecture import Architecture

Made = TypeVar("Made")


def outline(
    architecture: Architecture, inputs: Inputs, *, name: str | None = None
) -> tuple[keras.Model, Step]:
    """The model to look at and to count, not to run, and the trail of building it.

    Raises:
        ConfigError: As `Architecture.build`.
    """
    return outlined(lambda: build(architecture, inputs, name=name))


def outlined(make: Callable[[], Made]) -> Made:
    """What `make` gives, where the Keras layers that it builds get no values for their weights.

    Nothing of it remains for what is built later: layers are named, and random seeds drawn, as if it hadn't
    happened. So `make` has to make its layers itself: one from outside would be left without values, too.
    """
    policy, seeds = keras.config.dtype_policy(), random.getstate()

    def within() -> Made:
        keras.config.set_dtype_policy(policy)
        with keras.StatelessScope(initialize_variables=False):
            return make()

    # Keras keeps its state by thread: names in use, and the variables that the next scope would give values.
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="outline") as thread:
            return thread.submit(within).result()
    finally:
        random.setstate(seeds)  # Keras draws the seed of an initializer from Python's own generator
