"""The catalog as a list with sizes, without Keras."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from composable.zoo import catalog
from composable.zoo.catalog.figures import Figures, figures

_SIZES = [field.name for field in fields(Figures)]


def listed(modality: str | None = None, max_parameters: float | None = None) -> list[dict[str, Any]]:
    """One row per member: name, family, modality, parameters, trainable, multiply_adds, paper.

    Args:
        modality: Only those that take it.
        max_parameters: Only those with at most so many.
    """
    known = figures()
    rows = []
    for name in catalog.names(modality):
        size = known.get(name)
        if max_parameters is None or (size is not None and size.parameters <= max_parameters):
            rows.append(_row(name, size))
    return rows


def _row(name: str, size: Figures | None) -> dict[str, Any]:
    family = catalog.family_of(name)
    sizes: dict[str, int | None] = asdict(size) if size else dict.fromkeys(_SIZES)
    return {"name": name, "family": family.name, "modality": family.modality, **sizes, "paper": family.paper}
