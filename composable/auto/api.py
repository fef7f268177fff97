"""The Python face of the pipeline: `composable.fit(data, target=...)` with every option by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from composable.auto.fit import fit as run_fit
from composable.auto.options import Duplicates, FitOptions, Metric
from composable.auto.run import Run
from composable.core.records import validated
from composable.design import Architecture


def fit(  # noqa: PLR0913 (the public call states every option)
    data: Any,
    target: str | Sequence[str] = (),
    *,
    problem: Literal["regression", "binary", "multiclass", "multilabel"] | None = None,
    metric: Metric | None = None,
    time_limit: float | None = None,
    max_trials: int | None = None,
    max_epochs: int | None = None,
    max_parameters: int | None = None,
    split: str = "auto",
    duplicates: Duplicates | None = None,
    schema: str | Path | None = None,
    test: str | Path | None = None,
    design: str | Architecture | None = None,
    stages: Sequence[str] = (),
    start: str | Path | None = None,
    tap: str | None = None,
    freeze: bool = False,
    unfreeze: Sequence[str] = (),
    image_size: int | None = None,
    keep_aspect: bool = False,
    augment: Sequence[str] = (),
    seed: int = 0,
    drop: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    date_order: Literal["day-first", "month-first"] | None = None,
    drop_missing_target: bool = False,
    allow_leaks: bool = False,
    allow_other_versions: bool = False,
    out: str | Path | None = None,
    sample_weight: np.ndarray | Sequence[float] | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> Run:
    """Train networks on a table and keep the best.

    Args:
        data: A path (CSV, TSV, Parquet, a folder of images or an `.npz` file of them), a pandas DataFrame, a
            NumPy array or a mapping of arrays.
        target: The column or columns to predict; by default what the data say: the class of images.
        problem: Overrules the inferred kind of the target.
        metric: The score that selects the model.
        time_limit: Seconds for everything, from reading to report.
        max_trials: The number of networks tried; with it alone the same seed gives the same result.
        max_epochs: The number of epochs of each network at most.
        max_parameters: The number of weights of the deployed model at most.
        split: auto, random, stratified, group:COL, time:COL or column:COL.
        duplicates: Whether rows of equal features stay together in one part of the split, or are dealt apart
            as observations of their own; by default what the data say.
        schema: The path of an edited schema.
        test: A labeled file of your own, scored once at the end.
        design: What to train instead of the usual networks: an architecture, a name of the catalog, a call
            of one such as "mlp(units=64)", a JSON file, or module:function. Openings are searched.
        stages: What every network goes through before its fit: draw, warmup, tune, pretrain. What doesn't pay
            on held-out rows is dropped; the report shows each gain.
        start: A run, a bundle or a `.keras` file of your own: its network, under the tasks at hand, is tried
            first.
        tap: Up to where: `encoding`, a part of a bundle's network such as `learner.1`, a layer of a file.
        freeze: Whether of it only what follows the tap is trained.
        unfreeze: Parts of it, or beginnings of the names of layers, that are trained all the same.
        image_size: Pixels of the longer side that images are given; by default at most 64.
        keep_aspect: Pad images with gray instead of stretching them to one shape.
        augment: What is done to images while networks learn: flip, translate, crop, rotate, light, color,
            randaugment, cutout, mixup, cutmix, or none; by default what is measured to preserve labels.
        seed: One seed for everything random.
        drop: Columns that the model must not see.
        encoding: Of a text file, where the detected one is wrong.
        delimiter: Likewise.
        decimal: Likewise, the decimal mark.
        date_order: How 01/02/2024 is read.
        drop_missing_target: Leave out rows without a target.
        allow_leaks: Train although a column tells the target.
        allow_other_versions: Go on with a run that other versions of the libraries began.
        out: The run folder; by default `runs/` and the data's name.
        sample_weight: A weight per row, not negative.
        progress: Told about each event, see docs/run-folder.md.

    Returns:
        The run, with `leaderboard()`, `predict(rows)`, `model`, `export(format, folder)`, `report()`.

    Raises:
        DataError: If the data can't be used as it is.
        ConfigError: If an option doesn't exist or doesn't fit the data.
        NothingSucceeded: If no network could be trained.
    """
    given = {
        "target": (target,) if isinstance(target, str) else tuple(target),
        "problem": problem,
        "metric": metric,
        "time_limit": time_limit,
        "max_trials": max_trials,
        "max_epochs": max_epochs,
        "max_parameters": max_parameters,
        "split": split,
        "duplicates": duplicates,
        "schema": None if schema is None else str(schema),
        "test": None if test is None else str(test),
        "design": design.to_json() if isinstance(design, Architecture) else design,
        "stages": tuple(stages),
        "start": None if start is None else str(start),
        "tap": tap,
        "freeze": freeze,
        "unfreeze": tuple(unfreeze),
        "image_size": image_size,
        "keep_aspect": keep_aspect,
        "augment": tuple(augment),
        "seed": seed,
        "drop": tuple(drop),
        "encoding": encoding,
        "delimiter": delimiter,
        "decimal": decimal,
        "date_order": date_order,
        "drop_missing_target": drop_missing_target,
        "allow_leaks": allow_leaks,
        "allow_other_versions": allow_other_versions,
    }
    options = validated(FitOptions, given, origin="the call of fit")
    weights = None if sample_weight is None else np.asarray(sample_weight)
    folder = None if out is None else Path(out)
    return run_fit(data, options, out=folder, progress=progress, sample_weight=weights)
