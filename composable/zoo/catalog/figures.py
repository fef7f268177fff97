"""How large the members of the zoo are, read from a file, so that listing them builds nothing.

`python -m composable.zoo.catalog.figures` counts them anew and writes `figures.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from composable.zoo import catalog

FILE = Path(__file__).with_name("figures.json")  # `make figures` writes it, a test compares it


@dataclass(frozen=True)
class Figures:
    """What a member costs on what it takes by default.

    Attributes:
        parameters: All of them.
        trainable: Those that training changes.
        multiply_adds: For one row.
    """

    parameters: int
    trainable: int
    multiply_adds: int


_SIZES = [field.name for field in fields(Figures)]


@lru_cache(maxsize=1)
def figures() -> dict[str, Figures]:
    """By name of the member."""
    return {name: Figures(**values) for name, values in json.loads(FILE.read_text(encoding="utf-8")).items()}


def listing(modality: str | None = None, max_parameters: float | None = None) -> list[dict[str, Any]]:
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


def measured(name: str) -> Figures:
    """The figures of one member, counted in its outline."""
    from composable.design.building import outline
    from composable.design.cost import cost

    model, _ = outline(catalog.architecture(name), catalog.inputs_of(name))
    found = cost(model)
    return Figures(found.parameters, found.trainable, found.multiply_adds)


def measure(names: Iterable[str]) -> tuple[dict[str, Figures], dict[str, str]]:
    """The figures of those that can be counted, and why the others can't, by name."""
    found, failed = {}, {}
    for name in names:
        try:
            found[name] = measured(name)
        except Exception as error:  # noqa: BLE001 (one broken family doesn't keep the others from being counted)
            failed[name] = f"{type(error).__name__}: {error}"
    return found, failed


def main() -> int:
    """Write the file and say what failed; 1 if anything did."""
    found, failed = measure(catalog.MEMBERS)
    lines = [f"  {json.dumps(name)}: {json.dumps(asdict(values))}" for name, values in found.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    for name, why in failed.items():
        sys.stderr.write(f"{name}: {' '.join(why.split())}\n")
    sys.stderr.write(f"{len(found)} members counted, {len(failed)} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
