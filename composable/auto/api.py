"""The Python face of the pipeline: `composable.fit(data, target=...)` with every option by its name."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from composable.auto.fit import fit as run_fit
from composable.auto.option import arguments_of
from composable.auto.options import (
    Augmentation,
    DateOrder,
    Duplicates,
    FitOptions,
    Preset,
    ProblemKind,
    SamplerName,
    Stage,
    options_from,
)
from composable.auto.progress import shown
from composable.auto.run import Run
from composable.design import Architecture

AnyPath = str | os.PathLike[str]


def fit(  # noqa: PLR0913 (the public call states every option)
    data: Any,
    target: str | Sequence[str] = (),
    *,
    problem: ProblemKind | None = None,
    metric: str | None = None,
    preset: Preset | None = None,
    time_limit: float | None = None,
    max_trials: int | None = None,
    max_epochs: int | None = None,
    max_parameters: int | None = None,
    max_bytes: int | None = None,
    max_latency: float | None = None,
    max_disk: int | None = None,
    max_memory: int | None = None,
    sample_rows: int | None = None,
    split: str = "auto",
    duplicates: Duplicates | None = None,
    test: AnyPath | pd.DataFrame | np.ndarray | Mapping[str, Any] | None = None,
    schema: AnyPath | None = None,
    weight: str | None = None,
    class_weight: Literal["balanced"] | None = None,
    drop: str | Sequence[str] = (),
    design: AnyPath | Architecture | None = None,
    training: Mapping[str, Any] | Sequence[str] = (),
    pins: Mapping[str, Any] | Sequence[str] = (),
    ranges: Mapping[str, Any] | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    tries: AnyPath | Sequence[AnyPath] = (),
    space: AnyPath | None = None,
    sampler: SamplerName | None = None,
    study: str | None = None,
    stages: Stage | Sequence[Stage] = (),
    stage_settings: Mapping[str, Any] | Sequence[str] = (),
    start: AnyPath | None = None,
    tap: str | None = None,
    freeze: bool = False,
    unfreeze: str | Sequence[str] = (),
    image_size: int | None = None,
    keep_aspect: bool = False,
    augment: Augmentation | Sequence[Augmentation] = (),
    single: bool = False,
    tolerance: float | None = None,
    one_network: bool = False,
    no_more_folds: bool = False,
    interpretable: bool = False,
    no_refit: bool = False,
    workers: int = 1,
    seed: int = 0,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    date_order: DateOrder | None = None,
    drop_missing_target: bool = False,
    allow_leaks: bool = False,
    allow_other_versions: bool = False,
    out: AnyPath | None = None,
    sample_weight: np.ndarray | Sequence[float] | None = None,
    progress: bool | Callable[[dict[str, Any]], None] = False,
    verbose: int = 1,
) -> Run:
    """Train networks on a table and keep the best.

    Returns:
        The run, with `leaderboard()`, `predict(rows)`, `model`, `export(format, folder)`, `report()`.

    Raises:
        DataError: If the data can't be used as it is.
        ConfigError: If an option doesn't exist or doesn't fit the data.
        NothingSucceeded: If no network could be trained.
    """
    stated = dict(locals())
    if isinstance(design, Architecture):
        stated["design"] = design.to_json()
    if not isinstance(test, (str, os.PathLike)):
        stated["test"] = None
    options = options_from(
        {name: stated[name] for name in FitOptions.__dataclass_fields__}, origin="the call of fit"
    )
    weights = None if sample_weight is None else np.asarray(sample_weight)
    folder = None if out is None else Path(out)
    own_test = None if options.test is not None else test
    with shown(progress, options.time_limit, verbose) as show:
        return run_fit(data, options, out=folder, progress=show, sample_weight=weights, test=own_test)


if fit.__doc__:  # Python may leave docstrings out (option -OO)
    fit.__doc__ = inspect.cleandoc(fit.__doc__).replace(
        "Returns:",
        f"""Args:
    data: A path (CSV, TSV, Parquet, a folder of images or an `.npz` file of them), a pandas DataFrame, a
        NumPy array or a mapping of arrays.
{arguments_of(FitOptions)}
    out: The run folder; by default `runs/` and the data's name.
    sample_weight: A weight per row, not negative.
    progress: True shows what the command line shows; a function is called with each event, see
        docs/run-folder.md.
    verbose: 0 is silent; from 1 on warnings go through Python's `warnings`, and choices that were made
        through the logger "composable".

Returns:""",
        1,
    )
