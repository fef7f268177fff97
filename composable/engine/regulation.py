"""Dynamic regularization: what changes while a training goes on, by what is seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.part import Component, component
from composable.engine.cohort import Cohort
from composable.engine.history import InstanceState
from composable.engine.rows import held_out_blocks
from composable.engine.schedules import Factor, Growth
from composable.engine.settings import Settings
from composable.engine.train import Regulate

MOST_ROWS = 1024  # of those learned from that are measured after each epoch
Portion = Annotated[float, Field(ge=0, le=1)]


@component
def follow_gap(
    cohort: Cohort, *, tolerance: Factor = 0.1, first: Factor = 1.0, growth: Growth = 1.1, most: Factor = 1.5
) -> Regulate:
    """Dropout follows the gap between the rows learned from and those held out.

    Where the measure on held-out rows is worse by more than `tolerance`, dropout is switched on and then
    grows; else it is off. Each instance follows its own gap. The seed's author had it so by accuracies that
    differ by 0.03: a rate of 0, then 0.5, then 1.1 times as much below 0.75. On a network whose dropout has a
    rate of 0.5 the defaults are his, but for the measure, which is the one that training stops by.

    Args:
        cohort: To be trained; a network without dropout has nothing to follow.
        tolerance: 1 - measure on rows learned from / measure on held-out rows.
        first: What the network's dropout rates are multiplied by at first.
        growth: Of that factor, each epoch that the gap remains.
        most: The factor grows no further.

    Returns:
        The settings of the instances from their epochs, for `composable.engine.train.train`.

    Raises:
        ConfigError: If the rows that are learned from aren't in memory.
    """
    if cohort.feed is not None:
        raise ConfigError(
            "Dropout can follow the gap only where the rows that are learned from are in memory.",
            received="rows that are read from a file while training",
            remedy="leave out regulation=follow_gap",
        )
    learned = held_out_blocks([_some(one.rows, one.seed) for one in cohort.instances])

    def followed(one: InstanceState, measure: float) -> Settings:
        now = one.settings.dropout
        if not has_gap(measure, one.epochs[-1].held_out, tolerance):
            return replace(one.settings, dropout=0.0)
        return replace(one.settings, dropout=min(now * growth, most) if now else first)

    def regulate(_epoch: int, states: Sequence[InstanceState]) -> list[Settings]:
        measures = cohort.program.measured(learned)
        return [followed(one, float(measure)) for one, measure in zip(states, measures, strict=True)]

    return regulate


def has_gap(learned: float, held_out: float, tolerance: float) -> bool:
    """Whether the measure on held-out rows is worse by more than a share of it; never if one is no number."""
    return bool(held_out - learned > tolerance * abs(held_out))


def final_phase(settings: Settings, *, batch: Growth = 4.0, regularization: Factor = 0.5) -> Settings:
    """Settings for the end of a training: larger batches, and less regularization with them.

    A larger batch has less noise, which regularizes; so the rest is turned down in the end
    (Smith et al. 2018, "Don't Decay the Learning Rate, Increase the Batch Size", arXiv:1711.00489).

    Args:
        settings: Until then.
        batch: Factor of the batch size.
        regularization: Factor of dropout, weight decay and label smoothing.
    """
    return replace(
        settings,
        batch_size=round(batch * settings.batch_size),
        dropout=regularization * settings.dropout,
        weight_decay=regularization * settings.weight_decay,
        label_smoothing=regularization * settings.label_smoothing,
    )


@component
def schedule_section(
    progress: np.ndarray, *, of: Component, low: Portion = 0.0, high: Portion = 1.0
) -> np.ndarray:
    """The part of another schedule between two shares of its training: each phase of one has its own."""
    return of(low + (high - low) * progress)


def _some(rows: np.ndarray, seed: int) -> np.ndarray:
    """Of the rows learned from, always the same."""
    chosen = np.random.default_rng(derive(seed, "gap")).permutation(rows)[:MOST_ROWS]
    return np.sort(chosen)
