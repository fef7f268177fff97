"""What a user may decide about a fit, declared once; Python, command line, files and guide follow from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from composable.auto.agreement import check_agreement
from composable.auto.option import Option, fields_of, plain_value
from composable.auto.presets import PRESETS
from composable.core.errors import ConfigError
from composable.core.records import validated
from composable.problem.metrics import METRICS, metric_named
from composable.search.limits import Limits, SingleChoice
from composable.search.study_server import check_address, masked

Augmentation = Literal[
    "none", "flip", "translate", "crop", "rotate", "light", "color", "randaugment", "cutout",
    "mixup", "cutmix", "jitter", "scale", "window",
]  # fmt: skip
ProblemKind = Literal["regression", "binary", "multiclass", "multilabel"]
SamplerName = Literal["tpe", "random", "grid", "evolutionary", "gp", "narrowing", "architecture"]
Duplicates = Literal["together", "apart"]
Stage = Literal[
    "draw", "warmup", "tune", "pretrain", "finetune",
    "pretrain=mask", "pretrain=denoise", "pretrain=jigsaw", "pretrain=autoencode", "pretrain=inpaint",
    "pretrain=shapes",
]  # fmt: skip
DateOrder = Literal["day-first", "month-first"]
Preset = Literal["fast", "balanced", "best", "small", "interpretable"]


@dataclass(frozen=True)
class FitOptions:
    """Every option of a fit, with its type, its default and what a user reads about it.

    Raises:
        ConfigError: If a number is out of its range, or an option means nothing beside the others.
    """

    target: Annotated[
        tuple[str, ...],
        Option("What to predict: one column or several; by default what the data say.", "COLUMN"),
    ] = ()
    problem: Annotated[ProblemKind | None, Option("Overrules the kind of problem that is inferred.")] = None
    metric: Annotated[
        str | None,
        Option(
            f"The score that selects the model: {', '.join(METRICS)}, quantile:LEVEL, or module:function of "
            "your own; by default what fits the problem.",
            "METRIC",
        ),
    ] = None
    preset: Annotated[
        Preset | None,
        Option("Sets several options at once, but for those that are set beside it; the guide lists them."),
    ] = None
    time_limit: Annotated[
        float | None, Option("Seconds for everything, from reading to report.", "SECONDS", above=0)
    ] = None
    max_trials: Annotated[
        int | None,
        Option("How many networks are tried at most; with the same seed the result is the same.", "N", low=1),
    ] = None
    max_epochs: Annotated[int | None, Option("Epochs of each network at most.", "N", low=1)] = None
    max_parameters: Annotated[int | None, Option("Weights of the deployed model at most.", "N", low=1)] = None
    max_bytes: Annotated[
        int | None, Option("Bytes that the deployed model takes as a file at most.", "N", low=1)
    ] = None
    max_latency: Annotated[
        float | None,
        Option(
            "Milliseconds that the deployed model takes for a row at most, as the leaderboard states them.",
            "MS",
            above=0,
        ),
    ] = None
    max_disk: Annotated[
        int | None,
        Option(
            "Megabytes that the run folder may take: the weights of the worst candidates go first, their "
            "scores stay.",
            "MB",
            low=1,
        ),
    ] = None
    max_memory: Annotated[
        int | None,
        Option(
            "Megabytes of memory that the fit may take: with --workers the process of a candidate that takes "
            "more than its share is stopped, else no further candidate is begun once it takes more.",
            "MB",
            low=1,
        ),
    ] = None
    sample_rows: Annotated[
        int | None,
        Option(
            "Hold so many rows of a CSV or Parquet file, choose by them, and let the best network learn from "
            "all; by default only where the file is too large for the memory.",
            "N",
            low=100,
        ),
    ] = None
    split: Annotated[
        str,
        Option(
            "How rows are held out: auto, random, stratified, group:COLUMN, time:COLUMN or column:COLUMN.",
            "HOW",
        ),
    ] = "auto"
    duplicates: Annotated[
        Duplicates | None,
        Option(
            "Whether rows of equal features stay together in one part of the split or are dealt apart; "
            "by default what the data say."
        ),
    ] = None
    test: Annotated[
        str | None, Option("Labeled rows of your own, scored once at the end.", "FILE", path=True)
    ] = None
    schema: Annotated[str | None, Option("A schema that `inspect` wrote, edited.", "FILE", path=True)] = None
    weight: Annotated[
        str | None,
        Option("A column that says how much each row counts; the model doesn't see it.", "COLUMN"),
    ] = None
    class_weight: Annotated[
        Literal["balanced"] | None,
        Option("balanced: every class counts alike, whatever its number of rows."),
    ] = None
    drop: Annotated[tuple[str, ...], Option("A column that the model must not see.", "COLUMN")] = ()
    design: Annotated[
        str | None,
        Option(
            "What to train instead of the usual networks: a name of the catalog, a call of one such as "
            "mlp(units=64), a JSON file, or module:function.",
            "DESIGN",
            path=True,
        ),
    ] = None
    training: Annotated[
        tuple[str, ...],
        Option(
            "Overrules how networks are trained, such as learning_rate=0.001, averaging=ema or sam=0.05.",
            "NAME=VALUE",
            pairs=True,
        ),
    ] = ()
    pins: Annotated[
        tuple[str, ...],
        Option(
            "Pins what the search leaves open, such as units=128, mlp.dropout=0.1 or batch_size=64; "
            "`composable space` shows the paths.",
            "PATH=VALUE",
            flag="--set",
            pairs=True,
        ),
    ] = ()
    ranges: Annotated[
        tuple[str, ...],
        Option(
            "Bounds a number that the search may choose, such as learning_rate=1e-4:1e-2.",
            "PATH=LOW:HIGH",
            flag="--range",
            pairs=True,
        ),
    ] = ()
    exclude: Annotated[
        tuple[str, ...],
        Option(
            "Leaves out a family of candidates (realmlp) or a component wherever it stands (zoo.vgg).", "NAME"
        ),
    ] = ()
    tries: Annotated[
        tuple[str, ...],
        Option("A configuration that is tried first.", "FILE", flag="--try", path=True),
    ] = ()
    space: Annotated[
        str | None, Option("A space that `composable space` wrote, edited.", "FILE", path=True)
    ] = None
    sampler: Annotated[
        SamplerName | None,
        Option(
            "How the search goes on after the portfolio, in the families that did best; by default "
            "architecture where a design leaves its own open, else tpe."
        ),
    ] = None
    study: Annotated[
        str | None,
        Option(
            "Writes the Optuna study of the run into a PostgreSQL database, such as "
            "postgresql://user@host/name (password: PGPASSWORD or ~/.pgpass), instead of study.db.",
            "ADDRESS",
        ),
    ] = dataclasses.field(default=None, repr=False)
    stages: Annotated[
        tuple[Stage, ...],
        Option("What every network goes through before its training proper.", flag="--stage"),
    ] = ()
    stage_settings: Annotated[
        tuple[str, ...],
        Option(
            "Overrules a metaparameter of a named stage, such as warmup.epochs=3 or tune.largest_batch=512.",
            "STAGE.NAME=VALUE",
            flag="--stage-setting",
            pairs=True,
        ),
    ] = ()
    start: Annotated[
        str | None,
        Option(
            "A run, a bundle or a .keras file of your own, whose network is tried first under the tasks at "
            "hand.",
            "RUN",
            flag="--from",
            path=True,
        ),
    ] = None
    tap: Annotated[
        str | None,
        Option(
            "Up to where that network is used: encoding, learner.1 or the like, or a layer of a file.", "NAME"
        ),
    ] = None
    freeze: Annotated[bool, Option("Train only what follows the tap.")] = False
    unfreeze: Annotated[
        tuple[str, ...],
        Option(
            "A part of that network (learner.2), or how names of layers begin, that learns all the same.",
            "GROUP",
        ),
    ] = ()
    image_size: Annotated[
        int | None,
        Option(
            "Pixels of the longer side that images are given; by default that of the usual image, at most "
            "64.",
            "PIXELS",
            low=4,
            high=1024,
            only="image",
        ),
    ] = None
    keep_aspect: Annotated[
        bool, Option("Pad images with gray instead of stretching them to one shape.", only="image")
    ] = False
    augment: Annotated[
        tuple[Augmentation, ...],
        Option(
            "What is done to images or series while networks learn; by default, to images, what is measured "
            "to preserve labels.",
            only="image or series",
        ),
    ] = ()
    single: Annotated[bool, Option("Deploy the best single candidate, not an ensemble of several.")] = False
    tolerance: Annotated[
        float | None,
        Option(
            "With --single: deploy the candidate of the fewest weights that loses at most this share of the "
            "best one's gain over the constant predictor, such as 0.02.",
            "SHARE",
            above=0,
        ),
    ] = None
    one_network: Annotated[
        bool,
        Option(
            "Deploy of each candidate one network that is fitted once more on all rows, not the average of "
            "its folds'."
        ),
    ] = False
    no_more_folds: Annotated[
        bool,
        Option("Deploy the networks that candidates were chosen by: train the best on no further folds."),
    ] = False
    interpretable: Annotated[bool, Option("Try only models that can be read: linear ones.")] = False
    no_refit: Annotated[
        bool,
        Option(
            "Where times or a column divide the rows, deploy what was scored: don't fit it again on all rows."
        ),
    ] = False
    workers: Annotated[
        int,
        Option("How many processes train candidates side by side; with 1 this one does.", "N", low=1),
    ] = 1
    seed: Annotated[int, Option("One seed for everything random.", "N", low=0)] = 0
    encoding: Annotated[
        str | None, Option("Overrules the detected encoding of a text file.", "NAME", only="text file")
    ] = None
    delimiter: Annotated[
        str | None,
        Option("Overrules the detected delimiter of a text file; `tab` for a tab.", "MARK", only="text file"),
    ] = None
    decimal: Annotated[
        str | None, Option("Overrules the detected decimal mark of a text file.", "MARK", only="text file")
    ] = None
    date_order: Annotated[DateOrder | None, Option("How to read 01/02/2024.")] = None
    drop_missing_target: Annotated[bool, Option("Leave out rows in which every target is missing.")] = False
    allow_leaks: Annotated[bool, Option("Train although a column gives the target away.")] = False
    allow_other_versions: Annotated[
        bool, Option("Continue a run that other versions of the libraries began.")
    ] = False

    def __post_init__(self) -> None:
        for field in fields_of(FitOptions):
            value = getattr(self, field.name)
            if field.type in (int, float) and value is not None and not field.option.allows(value):
                raise ConfigError(
                    f"{field.name} must be {field.option.range}.",
                    received=str(value),
                    remedy="correct it, or leave it out",
                )
        if self.metric is not None and ":" not in self.metric:
            metric_named(self.metric)  # a function of the user's own is imported when the problem is known
        if self.weight is not None and self.weight in (*self.target, *self.drop):
            raise ConfigError(
                "A column of weights is neither the target nor dropped.", received=f"weight {self.weight!r}"
            )
        if self.study is not None:
            check_address(self.study)
        check_agreement(self)

    @property
    def shown(self) -> dict[str, Any]:
        """All of them by their names, as they may be written and printed: without a password."""
        return asdict(self) | {"study": None if self.study is None else masked(self.study)}

    @property
    def limits(self) -> Limits:
        """The most that the deployed model may cost."""
        given = (self.max_parameters, self.max_bytes, self.max_latency)
        return Limits(*(math.inf if one is None else float(one) for one in given))

    @property
    def single_choice(self) -> SingleChoice | None:
        """How a single candidate is chosen; None where several are weighed against each other."""
        return SingleChoice(self.tolerance or 0.0) if self.single else None


def options_from(values: Mapping[str, Any], *, origin: str) -> FitOptions:
    """The options of a fit from plain values, in the same way for each door.

    Args:
        values: By the names of `FitOptions`. None stands for the default; a single value for a list of one; a
            whole number, where a name is expected, for that name; a mapping for a list of NAME=VALUE. What
            differs from its default wins over a preset.
        origin: Where they come from, for errors.

    Raises:
        ConfigError: If there is no such option, or a value is none of its values; names the nearest option.
    """
    fields = {field.name: field for field in fields_of(FitOptions)}
    stated = {name: value for name, value in values.items() if value is not None}
    plain = {
        name: plain_value(value, fields[name]) if name in fields else value for name, value in stated.items()
    }
    preset = PRESETS.get(plain.get("preset"), {})  # another name is refused like any wrong value
    own = {
        name: value for name, value in plain.items() if name not in preset or value != fields[name].default
    }
    return validated(FitOptions, {**preset, **own}, origin=origin)


def refuse_foreign(options: FitOptions, present: Collection[str], origin: str) -> None:
    """Refuse options that mean nothing for the data at hand.

    Args:
        options: Of the fit.
        present: The kinds of the columns, and "text file" if the data came from one.
        origin: Of the data.

    Raises:
        ConfigError: If an option is set that only concerns data of another kind; names it.
    """
    for field in fields_of(FitOptions):
        only = field.option.only
        absent = not any(kind in present for kind in only.split(" or "))
        if only and absent and getattr(options, field.name) != field.default:
            words = only.replace("image", "images").replace("file", "files")
            raise ConfigError(
                f"{field.flag} is only for {words}.",
                received=f"{origin} {'is no text file' if only == 'text file' else 'has none'}",
                remedy=f"leave out {field.flag}",
            )
