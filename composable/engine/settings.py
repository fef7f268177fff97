"""How one instance is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from composable.core.errors import ConfigError
from composable.core.seeds import derive
from composable.design.part import Part
from composable.engine.averaging import Average
from composable.engine.optimizer import Builds, Optimizer
from composable.engine.schedules import constant, factors
from composable.engine.training_copy import Precision

CONSTANT = Part(constant)
LIMITS = {
    "learning_rate": (0, np.inf),
    "weight_decay": (0, np.inf),
    "dropout": (0, np.inf),
    "label_smoothing": (0, 1),
    "mixup": (0, np.inf),
    "cutmix": (0, np.inf),
    "hardest_share": (0, 1),
    "sam": (0, np.inf),
    "batch_size": (1, np.inf),
    "epochs": (1, np.inf),
    "patience": (1, np.inf),
    "rate_divisor": (1, np.inf),
    "rate_reductions": (0, np.inf),
}
"""The least and the greatest value of each setting that is a number."""


@dataclass(frozen=True)
class Settings:
    """How an instance is trained. The instances of one cohort may differ in all but the `shared` settings.

    Attributes:
        optimizer: The update rule; shared.
        learning_rate: Of the optimizer.
        learning_rate_schedule: From the progress of the whole training, 0 to 1, to a factor of it.
        weight_decay: Decoupled (Loshchilov & Hutter 2019), not on biases.
        weight_decay_schedule: A factor of it.
        dropout: A factor of the network's dropout rates.
        dropout_schedule: A further factor of them.
        label_smoothing: See `composable.engine.objective`.
        label_smoothing_schedule: A factor of it.
        mixup: The parameter of the beta distribution of Zhang et al. 2018, "mixup"; 0 for none.
        cutmix: That of Yun et al. 2019, "CutMix"; 0 for none. Images alone.
        augment: What is done to images before anything else, see `composable.engine.augment`; shared.
        hardest_share: The share of a batch that is learned from, the rows with the highest losses, see
            `composable.engine.objective`; shared.
        sam: The radius of sharpness-aware minimization, see `composable.engine.objective`; 0 for none;
            shared.
        averaging: Of the weights, over the steps; None for the last ones; shared.
        regulation: From a cohort to a function that changes settings after each epoch, see
            `composable.engine.regulation`; None for none; shared.
        precision: In which the layers compute: "bfloat16", with variables in float32, or "float32". None for
            bfloat16 on a GPU, float32 on a CPU; shared.
        batch_size: Rows of a step at most; shared.
        epochs: At most.
        patience: After so many epochs without a better held-out measure, training goes on from the best
            weights so far with a smaller learning rate. None never does.
        rate_divisor: The learning rate is divided by it each time.
        rate_reductions: How often that happens before training ends.

    Raises:
        ConfigError: If a number is out of its range, or rows are to be mixed in two ways.
    """

    optimizer: Builds = field(default_factory=lambda: Optimizer(clip=1.0))
    learning_rate: float = 2e-3
    learning_rate_schedule: Part = CONSTANT
    weight_decay: float = 3e-4
    weight_decay_schedule: Part = CONSTANT
    dropout: float = 1.0
    dropout_schedule: Part = CONSTANT
    label_smoothing: float = 0.0
    label_smoothing_schedule: Part = CONSTANT
    mixup: float = 0.0
    cutmix: float = 0.0
    augment: tuple[Part, ...] = ()
    hardest_share: float = 1.0
    sam: float = 0.0
    averaging: Average | None = None
    regulation: Part | None = None
    precision: Precision | None = None
    batch_size: int = 256
    epochs: int = 400
    patience: int | None = 16
    rate_divisor: float = 5.0
    rate_reductions: int = 1

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not (low <= value <= high and value < np.inf):
                allowed = f"at least {low:g}" if high == np.inf else f"between {low:g} and {high:g}"
                raise ConfigError(f"{name} must be {allowed}.", received=repr(value))
        if self.hardest_share == 0:
            raise ConfigError("hardest_share must be above 0.", received=repr(self.hardest_share))
        if self.mixup and self.cutmix:
            raise ConfigError(
                "A training mixes rows in one way.",
                received=f"mixup={self.mixup}, cutmix={self.cutmix}",
                remedy="set one of them to 0",
            )

    @property
    def shared(self) -> tuple[object, ...]:
        """What all instances of a cohort have in common, because their one program depends on it."""
        shown = self.augment, bool(self.mixup), bool(self.cutmix)
        changed = self.hardest_share, self.sam, self.averaging, self.regulation
        return self.optimizer, *changed, self.precision, self.batch_size, shown


def curves(
    settings: Settings, *, first: int, count: int, total: int, seed: int, rate: float = 1.0
) -> Mapping[str, np.ndarray]:
    """What changes from step to step, for `count` steps from step `first` on of `total`; float32.

    `rate` is a further factor of the learning rate. The keys are `rate`, `decay`, `dropout`, `smoothing`;
    where rows are mixed, `share`: of each row, the rest being its partner's, and for CutMix the `center` of
    the box, (count, 2); where weights are averaged, the `progress`.
    """
    found = {
        "rate": rate * settings.learning_rate * factors(settings.learning_rate_schedule, first, count, total),
        "decay": settings.weight_decay * factors(settings.weight_decay_schedule, first, count, total),
        "dropout": settings.dropout * factors(settings.dropout_schedule, first, count, total),
        "smoothing": settings.label_smoothing
        * factors(settings.label_smoothing_schedule, first, count, total),
    }
    if alpha := settings.mixup or settings.cutmix:
        rng = np.random.default_rng((derive(seed, "mixing"), first))
        found["share"] = rng.beta(alpha, alpha, count)
        if settings.cutmix:
            found["center"] = rng.uniform(size=(count, 2))
    if settings.averaging:
        found["progress"] = (first + np.arange(count)) / max(total - 1, 1)
    return {name: values.astype("float32") for name, values in found.items()}


def described(settings: Settings) -> dict[str, object]:
    """The settings as plain values, for the report and for `trial.json`; schedules and optimizer as text."""
    found: dict[str, object] = {}
    for one in fields(settings):
        value = getattr(settings, one.name)
        if isinstance(value, (int, float)) or value is None:
            found[one.name] = value
        elif value not in (CONSTANT, ()):
            found[one.name] = repr(value)
    return found
