"""Schedules: from the progress of a training to a factor of its learning rate, decay, dropout or smoothing.

A schedule is a component `(progress, *, metaparameters) -> factors` on float64 arrays. Progress is 0 at the
first step and 1 at the last, so that a schedule begins and ends on the values it names.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from composable.core.errors import ConfigError
from composable.design.metaparameters import Count
from composable.design.part import Component, Part, component

Factor = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Of the base value."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
"""A share of the training."""
Growth = Annotated[float, Field(ge=1, allow_inf_nan=False)]


@component
def constant(progress: np.ndarray) -> np.ndarray:
    """1 throughout."""
    return np.ones_like(progress)


@component
def inverse_time(progress: np.ndarray, *, end: Positive = 0.1) -> np.ndarray:
    """1 / (1 + rate · progress), the rate being the one that comes to `end` at last ("time decay")."""
    return 1.0 / (1.0 + (1.0 / end - 1.0) * progress)


@component
def step(progress: np.ndarray, *, at: tuple[Share, ...] = (0.5, 0.75), factor: Factor = 0.1) -> np.ndarray:
    """Multiplied by `factor` at each of `at` (He et al. 2016: by 0.1 at a half and at three quarters)."""
    passed = (progress[..., None] >= np.asarray(at)).sum(axis=-1)
    return np.float64(factor) ** passed


@component
def exponential(progress: np.ndarray, *, end: Positive = 0.01) -> np.ndarray:
    """Falls by the same share in every step, from 1 to `end`."""
    return np.float64(end) ** progress


@component
def polynomial(progress: np.ndarray, *, power: Positive = 1.0, end: Factor = 0.0) -> np.ndarray:
    """1 at first: end + (1 - end) · (1 - progress)^power; linear by default."""
    return end + (1.0 - end) * (1.0 - progress) ** power


@component
def cosine(progress: np.ndarray, *, end: Factor = 0.0) -> np.ndarray:
    """Half a cosine from 1 to `end` (Loshchilov & Hutter 2017, "SGDR", equation 5, without restarts)."""
    return end + (1.0 - end) * 0.5 * (1.0 + np.cos(np.pi * progress))


@component
def one_cycle(
    progress: np.ndarray, *, start: Factor = 0.04, peak: Share = 0.3, end: Factor = 4e-6
) -> np.ndarray:
    """Half a cosine up from `start` to 1 at `peak`, another down to `end` (Smith & Topin 2018).

    "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", arXiv:1708.07120,
    with the cosines in place of straight lines that have become usual.
    """
    rising = cosine(1.0 - np.minimum(progress / peak, 1.0), end=start)
    falling = cosine(np.maximum(progress - peak, 0.0) / (1.0 - peak), end=end)
    return np.where(progress < peak, rising, falling)


@component
def triangular(
    progress: np.ndarray, *, start: Factor = 0.2, peak: Share = 0.23, end: Factor = 0.07
) -> np.ndarray:
    """A straight line up from `start` to 1 at `peak`, another down to `end` (as airbench94: Jordan 2024).

    "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv:2404.00498, listing 4.
    """
    return np.interp(progress, (0.0, peak, 1.0), (start, 1.0, end))


@component
def flat_cosine(progress: np.ndarray, *, until: Share = 0.5) -> np.ndarray:
    """1 until a half, then half a cosine to 0 (RealMLP's dropout and weight decay: arXiv:2407.04491)."""
    return cosine(np.maximum(progress - until, 0.0) / (1.0 - until))


@component
def coslog4(progress: np.ndarray) -> np.ndarray:
    """Four cosine waves that each take twice as long as the one before, from 0 to 0.

    ½ (1 - cos(2π log2(1 + 15 · progress))): RealMLP's learning rate (Holzmüller et al. 2024,
    arXiv:2407.04491, section 3). The first and the last step change nothing.
    """
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * np.log2(1.0 + 15.0 * progress)))


@component
def warm_restarts(
    progress: np.ndarray, *, cycles: Count = 3, growth: Growth = 2.0, end: Factor = 0.0
) -> np.ndarray:
    """Cosines from 1 to `end`, each `growth` times as long as the one before (SGDR, equation 5)."""
    lengths = np.float64(growth) ** np.arange(cycles)
    edges = np.concatenate([[0.0], np.cumsum(lengths) / lengths.sum()])
    current = np.clip(np.searchsorted(edges, progress, side="right") - 1, 0, cycles - 1)
    return cosine((progress - edges[current]) / (edges[current + 1] - edges[current]), end=end)


@component
def warmed(progress: np.ndarray, *, then: Component, share: Share = 0.05, start: Factor = 0.0) -> np.ndarray:
    """A straight line up to the first value of another schedule, which has the rest of the training.

    Args:
        progress: Of the whole training.
        then: The other schedule.
        share: Of the training, that the line takes.
        start: Where it begins, as a factor of the first value of `then`.
    """
    first = then(np.zeros_like(progress))
    rising = first * (start + (1.0 - start) * progress / share)
    return np.where(progress < share, rising, then(np.maximum(progress - share, 0.0) / (1.0 - share)))


def factors(schedule: Part, first_step: int, count: int, total: int) -> np.ndarray:
    """The factors of `count` steps from `first_step` on, in a training of `total` steps; (count,), float64.

    A training that goes on beyond its plan stays at the last value.

    Raises:
        ConfigError: If there are no such steps, or the schedule gives negative factors or none.
    """
    if first_step < 0 or count < 0 or total < 1:
        raise ConfigError(
            "The steps of a training are counted from 0, and there is at least one.",
            received=f"first_step={first_step}, count={count}, total={total}",
        )
    steps = np.arange(first_step, first_step + count, dtype="float64")
    found = np.asarray(schedule(np.minimum(steps / max(total - 1, 1), 1.0)), dtype="float64")
    if found.shape != (count,) or not np.all(np.isfinite(found)) or np.any(found < 0):
        raise ConfigError(
            "A schedule gives one finite factor, not below zero, for each step.",
            received=f"{schedule!r}: shape {found.shape}, {found!r}"[:200],
        )
    return found
