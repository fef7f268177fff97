"""Series: numbers step by step, alone in a row or beside other columns.

Worth trying are closed-form fits that take seconds, then networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from composable.core.errors import ConfigError
from composable.data.series import SERIES
from composable.design import Architecture, Part
from composable.design.series import beside_series, clean_series, every_step, steps_as_numbers
from composable.design.tables import prepare
from composable.design.tasks import classifier, kernel_scores, regressor
from composable.engine.augmentations import jitter, scale, window
from composable.engine.settings import Settings
from composable.explain.series_errors import series_errors
from composable.modality.designed import every_part, usual_settings
from composable.modality.facts import Augmentation, DataFacts
from composable.modality.modality import Modality, Notify
from composable.modality.trees import GRADIENT_BOOSTING
from composable.training.candidate import Candidate, Material
from composable.training.kernel_ridge import kernel_ridge
from composable.training.ridge import ridge
from composable.zoo.minirocket import clean_transform, minirocket
from composable.zoo.recurrent import gru_stack
from composable.zoo.series_cnn import inception_time, tcn

_KEPT = 4000  # rows of which a kernel is taken
_KEPT_NUMBERS = 4_000_000  # that a network which keeps rows may hold
_PATIENCE = 20  # epochs: batches are few where rows are
_REACH = 3  # steps that a causal convolution sees
_SECONDS, _SECONDS_PER_STEP = 8.0, 1e-4  # that MiniRocket takes on a usual machine, all folds together
_TIMES = 3  # as long, and it comes first


def candidates(facts: DataFacts, seconds: float) -> Iterator[Candidate]:
    """Ridge regression on MiniRocket's features, on the steps, neighbors; networks.

    What is trained first takes all the time that it needs: where that is short, it is the cheapest.

    Args:
        facts: Says the tasks, the number of rows and the shape of the series.
        seconds: For all of them together.
    """
    linear, rocket = (
        _closed_form(facts, "series_linear", _steps()),
        _closed_form(facts, "minirocket", minirocket()),
    )
    needed = _SECONDS + facts.rows * facts.signals[SERIES].shape[0] * _SECONDS_PER_STEP
    yield from (rocket, linear) if seconds > _TIMES * needed else (linear, rocket)
    if facts.kept <= _KEPT:
        yield _neighbors(facts)
    yield from _networks(facts)


def beside(facts: DataFacts, _seconds: float) -> Iterator[Candidate]:
    """Ridge regression on MiniRocket's features and those of the other columns side by side."""
    table = Part(prepare, categories=facts.categories, bins=0)
    learner = Part(beside_series, series=Part(clean_transform), table=table)
    design = Architecture(learner=learner, tasks=Part(classifier, classes=2))
    solver = Part(ridge, categories=facts.categories)
    yield Candidate("minirocket", design.with_tasks(*facts.tasks), Settings(), solver=solver)


def _closed_form(facts: DataFacts, name: str, design: Architecture) -> Candidate:
    return Candidate(name, design.with_tasks(*facts.tasks), Settings(), solver=Part(ridge))


def _steps() -> Architecture:
    """Nothing but the clean numbers."""
    return Architecture(stem=Part(clean_series), learner=Part(every_step), tasks=Part(classifier, classes=2))


def _neighbors(facts: DataFacts) -> Candidate:
    """Kernel ridge regression on the steps: series are alike that are near each other step by step."""
    rows = max(1, min(facts.kept, _KEPT_NUMBERS // math.prod(facts.signals[SERIES].shape)))
    design = replace(_steps(), tasks=Part(regressor, scores=Part(kernel_scores, rows=rows)))
    solver = Part(kernel_ridge, rows=rows)
    return Candidate("series_kernel", design.with_tasks(*facts.tasks), Settings(), solver=solver)


def _networks(facts: DataFacts) -> Iterator[Candidate]:
    """Those first that take the least time: InceptionTime takes ten times as long as the others."""
    length = facts.signals[SERIES].shape[0]
    blocks = max(1, math.ceil(math.log2((length - 1) / (2 * (_REACH - 1)) + 1)))
    designs = {
        "tcn": tcn(blocks=blocks, filters=32, kernel_size=_REACH, dropout=0.1),
        "gru": gru_stack(units=(64,), bidirectional=True, dropout=0.1),
        "inception_time": inception_time(kernel_size=min(40, length)),
    }
    settings = Settings(
        learning_rate=1e-3,
        batch_size=min(64, facts.batch_size),
        patience=_PATIENCE,
        augment=facts.augmentation.parts,
    )
    for name, design in designs.items():
        whole = replace(design, prestem=Part(clean_series)).with_tasks(*facts.tasks)
        yield Candidate(name, whole, settings)


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
