"""A recipe: the stages of a training in their order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from composable.core.errors import ArtifactError, ConfigError
from composable.design.config import from_config, parse, to_config
from composable.design.part import Part
from composable.training.stages.draw import draw
from composable.training.stages.finetune import finetune
from composable.training.stages.fit import fit
from composable.training.stages.pretrain.pretrain import pretrain
from composable.training.stages.tune import tune
from composable.training.stages.warmup import warmup

FORMAT = "composable.recipe/2"
STAGES = (draw, warmup, tune, pretrain, fit, finetune)
"""The stages that this project comes with."""


@dataclass(frozen=True)
class Recipe:
    """Stages one after another; each begins with the output of the one before it.

    Attributes:
        stages: Parts, or functions, which are taken as parts.

    Raises:
        ConfigError: If there is no stage, or one isn't a part.
    """

    stages: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.stages or not all(callable(stage) for stage in self.stages):
            raise ConfigError(
                "A recipe consists of at least one stage, each a part.",
                received=f"{self.stages!r}"[:200],
                remedy="Recipe((Part(draw, draws=5), Part(fit)))",
            )
        parts = tuple(stage if isinstance(stage, Part) else Part(stage) for stage in self.stages)
        object.__setattr__(self, "stages", parts)

    def to_json(self) -> str:
        """Canonical JSON: equal recipes give equal text.

        Raises:
            ConfigError: If a stage isn't registered.
        """
        config: dict[str, Any] = {"format": FORMAT, "stages": to_config(self.stages, "stages")}
        return json.dumps(config, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Rebuild what `to_json` wrote, from anywhere: it names components, and runs no code.

        Raises:
            ArtifactError: If it is malformed, of another format, or names a component that isn't there.
            ConfigError: If a stage doesn't take its arguments.
        """
        config = parse(text)
        if (
            not isinstance(config, dict)
            or config.keys() != {"format", "stages"}
            or config["format"] != FORMAT
        ):
            raise ArtifactError(
                f"A recipe's JSON has the format {FORMAT!r} and a list of stages.",
                received=f"{config!r}"[:200],
                remedy="write it with this version's `to_json`",
            )
        return cls(from_config(config["stages"], "stages"))


AUTHORS = Recipe(tuple(Part(stage) for stage in STAGES[:-1]))
"""The seed's order: draw, warmup, tune, pretext, train. What is foreign to the data skips itself."""
