"""The facts about a bundle's model: all that is needed to feed it raw rows and to read its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from composable.data.encoding import Encoding
from composable.data.profile import RowSketch
from composable.data.schema import Schema
from composable.problem.problem import Problem


@dataclass(frozen=True)
class Member:
    """A candidate whose networks the model averages, as far as the file of the model doesn't state it.

    Attributes:
        name: The trial's.
        architecture: As `composable.design.Architecture.to_config` gives it.
        weight: What all its networks together weigh, relative to the other members.
        postprocessing: Per network, per head: the fields of its
            `composable.problem.postprocessing.PostProcessing` that differ from their defaults.
        mirrored: Per network: whether it looks at images mirrored as well; empty where none does.
    """

    name: str
    architecture: Mapping[str, Any]
    weight: float
    postprocessing: tuple[tuple[Mapping[str, str | float], ...], ...]
    mirrored: tuple[bool, ...] = ()


@dataclass(frozen=True)
class BundleCard:
    """The record in `bundle.json`.

    Attributes:
        name: The trial that the model comes from.
        created: When, as an ISO 8601 time in UTC.
        schema: The columns of the training table.
        encoding: How raw rows become the model's inputs.
        problem: What the model answers.
        metrics: The model's scores by part of the data: `{"validation": {"rmse": 2100.0}, "test": {...}}`.
        versions: Of everything that took part in the training.
        target_deviations: The standard deviation of each regression target, the measure for exports.
        members: What the model averages, in the order of the networks in it; empty in bundles of versions
            before it was recorded.
        final: Per head, the fields of the last step after averaging that differ from the defaults of
            `PostProcessing`; empty where averages stay as they are.
        rows: A sample of the rows that its networks learned from, to recognize them again.
    """

    name: str
    created: str
    schema: Schema
    encoding: Encoding
    problem: Problem
    metrics: Mapping[str, Mapping[str, float | None]]
    versions: Mapping[str, str]
    target_deviations: Mapping[str, float] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    final: tuple[Mapping[str, str | float], ...] = ()
    rows: RowSketch | None = None
