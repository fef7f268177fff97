"""Series: numbers step by step, alone in a row or beside other columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from composable.core.errors import ConfigError
from composable.data.series import SERIES
from composable.design import Architecture, Part
from composable.design.series import clean_series, steps_as_numbers
from composable.engine.series_augmentations import jitter, scale, window
from composable.explain.series_errors import series_errors
from composable.modality.boosting import GRADIENT_BOOSTING
from composable.modality.designed import every_part, usual_settings
from composable.modality.facts import Augmentation, DataFacts
from composable.modality.modality import Modality, Notify
from composable.modality.series.portfolio import beside, candidates, portfolio_size
from composable.training.candidate import Material

_FEW_NUMBERS = 1000  # in a row; of more, networks for tables would become very wide


def fit_design(design: Architecture, facts: DataFacts) -> Architecture:
    """The design with the tasks of these rows, given clean series unless it cleans them itself."""
    if any(part.component is clean_series for part in every_part((design.prestem, design.stem))):
        return design.with_tasks(*facts.tasks)
    return replace(design, prestem=(Part(clean_series), design.prestem)).with_tasks(*facts.tasks)


def augment(
    facts: DataFacts,
    _material: Material,
    _train: np.ndarray,
    names: Sequence[str],
    _seed: int,
    _notify: Notify,
) -> DataFacts:
    """As the user asks by names; by default nothing: the time of day may be what decides.

    Raises:
        ConfigError: If a name isn't one for series.
    """
    known = {"jitter": Part(jitter), "scale": Part(scale), "window": Part(window)}
    if others := [name for name in names if name not in {"none", *known}]:
        raise ConfigError(
            "Series are altered by jitter, scale and window.",
            received=f"--augment {' --augment '.join(others)}",
            remedy="leave it out",
        )
    parts = tuple(part for name, part in known.items() if name in names)
    return replace(facts, augmentation=Augmentation(parts, chosen=bool(names)))


def as_numbers(facts: DataFacts) -> tuple[int, Part] | None:
    """Each step as a number of its own, unless they are very many."""
    count = math.prod(facts.signals[SERIES].shape)
    return (count, Part(steps_as_numbers)) if count <= _FEW_NUMBERS else None


SERIES_MODALITY = Modality(
    name="series",
    inputs=frozenset({SERIES}),
    columns=frozenset({"series"}),
    designs=("series",),
    candidates=candidates,
    portfolio_size=portfolio_size,
    settings=usual_settings,
    fit_design=fit_design,
    baseline=GRADIENT_BOOSTING,
    pretexts={},
    beside=beside,
    in_tables=False,
    as_numbers=as_numbers,
    augment=augment,
    worst_errors={"series.json": series_errors},
)
