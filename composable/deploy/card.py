"""What a bundle says about its model: all that is needed to feed it raw rows and to read its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from composable.data.encoding import Encoding
from composable.data.schema import Schema
from composable.problem.problem import Problem


@dataclass(frozen=True)
class BundleCard:
    """The record in `bundle.json`.

    Attributes:
        name: The trial that the model comes from.
        created: When, as an ISO 8601 time in UTC.
        schema: The columns of the training table.
        encoding: How raw rows become the model's inputs.
        problem: What the model answers.
        ranges: The least and the greatest training value of each number column.
        metrics: The model's scores by part of the data: `{"validation": {"rmse": 2100.0}, "test": {...}}`.
        versions: Of everything that took part in the training.
        target_deviations: The standard deviation of each regression target, the measure for exports.
    """

    name: str
    created: str
    schema: Schema
    encoding: Encoding
    problem: Problem
    ranges: Mapping[str, tuple[float, float]]
    metrics: Mapping[str, Mapping[str, float | None]]
    versions: Mapping[str, str]
    target_deviations: Mapping[str, float] = field(default_factory=dict)
