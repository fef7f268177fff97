"""What a user may decide about a fit; a record, so that a config file and the run folder can hold it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from composable.core.errors import ConfigError

_LARGEST = 1024  # pixels
Augmentation = Literal[
    "none", "flip", "translate", "crop", "rotate", "light", "color", "randaugment", "cutout",
    "mixup", "cutmix",
]  # fmt: skip
Metric = Literal[
    "rmse", "mae", "roc_auc", "log_loss", "accuracy", "average_precision",
    "mean_iou", "dice", "pixel_accuracy",
]  # fmt: skip
Duplicates = Literal["together", "apart"]
Stage = Literal["draw", "warmup", "tune", "pretrain", "finetune"]


@dataclass(frozen=True)
class FitOptions:
    """Every choice of `composable fit`, with its default.

    Attributes:
        target: The column or columns to predict; empty for what the data say: the class of images.
        problem: Overrules the inferred kind.
        metric: The score that selects the model; by default rmse, roc_auc (two classes), log_loss (more),
            mean_iou (masks).
        time_limit: Seconds for everything; None leaves only `max_trials` to bound the work.
        max_trials: The number of networks tried; bounds the work reproducibly.
        max_epochs: The number of epochs of each network at most.
        max_parameters: The number of weights of the deployed model at most.
        split: How rows are held out: auto, random, stratified, group:COL, time:COL, column:COL.
        duplicates: Whether rows of equal features stay in one part, as copies of one row, or are dealt as
            observations of their own; by default what the data say, see `composable.auto.duplicates`.
        schema: Path of an edited schema.
        test: Path of a labeled file of the user's own; its rows are scored once, at the end.
        design: What to train instead of the usual networks: a name of the catalog, a call of one, a JSON
            file or text, or module:function.
        stages: What every network goes through before its fit: draw, warmup, tune, pretrain; finetune of
            one that is begun from another.
        start: A run, a bundle or a `.keras` file of the user's own, whose network is the first one's
            beginning.
        tap: Up to where: `encoding`, a part of a bundle's network such as `learner.1`, a layer of a file.
        freeze: Whether of that network only what follows the tap is trained.
        unfreeze: Parts of it, or beginnings of the names of layers, that are trained all the same.
        image_size: Pixels of the longer side that images are given; by default that of the usual image, but
            not more than 64.
        keep_aspect: Whether images keep the ratio of their sides and are filled up with gray; else they are
            stretched to the shape of the usual image.
        augment: What is done to images while networks learn from them, in the place of what is measured to
            preserve the labels; "none" for nothing.
        seed: One seed for everything random.
        drop: Columns that the model must not see.
        encoding, delimiter, decimal, date_order: Overrule what was detected in a text file; `date_order` is
            "day-first" or "month-first".
        drop_missing_target: Leave out rows without a target instead of stopping.
        allow_leaks: Train although a column looks like a copy of the target.
        allow_other_versions: Go on with a run that other versions of the libraries began.

    Raises:
        ConfigError: If a number is out of its range.
    """

    target: tuple[str, ...] = ()
    problem: Literal["regression", "binary", "multiclass", "multilabel"] | None = None
    metric: Metric | None = None
    time_limit: float | None = None
    max_trials: int | None = None
    max_epochs: int | None = None
    max_parameters: int | None = None
    split: str = "auto"
    duplicates: Duplicates | None = None
    schema: str | None = None
    test: str | None = None
    design: str | None = None
    stages: tuple[Stage, ...] = ()
    start: str | None = None
    tap: str | None = None
    freeze: bool = False
    unfreeze: tuple[str, ...] = ()
    image_size: int | None = None
    keep_aspect: bool = False
    augment: tuple[Augmentation, ...] = ()
    seed: int = 0
    drop: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    date_order: Literal["day-first", "month-first"] | None = None
    drop_missing_target: bool = False
    allow_leaks: bool = False
    allow_other_versions: bool = False

    def __post_init__(self) -> None:
        if self.time_limit is not None and not 0 < self.time_limit < math.inf:
            raise _out_of_range("time_limit", "a positive number of seconds", self.time_limit)
        for name in ("max_trials", "max_epochs", "max_parameters"):
            most = getattr(self, name)
            if most is not None and most < 1:
                raise _out_of_range(name, "1 or more", most)
        if self.image_size is not None and not 4 <= self.image_size <= _LARGEST:
            raise _out_of_range("image_size", f"4 to {_LARGEST}", self.image_size)
        if self.seed < 0:
            raise _out_of_range("seed", "0 or more", self.seed)
        self._check_agreement()

    def _check_agreement(self) -> None:
        """Refuse options that mean nothing beside others.

        Raises:
            ConfigError: If there are such.
        """
        if self.start is None and (self.freeze or self.tap is not None):
            raise ConfigError(
                "Only a network that is trained already can be tapped or frozen.",
                received="tap or freeze without a start",
                remedy="--from RUN names one",
            )
        if self.unfreeze and not self.freeze:
            raise ConfigError(
                "What isn't frozen can't be unfrozen.",
                received="unfreeze",
                remedy="--freeze freezes the rest",
            )
        if self.duplicates is not None and self.split.startswith(("group:", "time:")):
            raise ConfigError(
                "Where groups or times decide, rows of equal features lie where these put them.",
                received=f"duplicates {self.duplicates}, split {self.split}",
                remedy="leave out --duplicates, or choose another --split",
            )


def _out_of_range(name: str, range_: str, received: float) -> ConfigError:
    return ConfigError(
        f"{name} must be {range_}.", received=str(received), remedy="correct it, or leave it out"
    )
