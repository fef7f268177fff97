"""What a user brings to a fit besides their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from composable.auto.pretrained_source import PretrainedSource
from composable.zoo.catalog.parse import ParsedDesign


@dataclass(frozen=True, eq=False)
class UserInputs:
    """What a user brings to a fit beside rows and options.

    Attributes:
        design: Networks to try instead of the usual ones.
        pretrained: A trained network, to be tried first.
        training: Settings of the training, instead of those of the candidates.
    """

    design: ParsedDesign | None = None
    pretrained: PretrainedSource | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
