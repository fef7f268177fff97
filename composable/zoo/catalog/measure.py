"""Count the members of the zoo anew: `python -m composable.zoo.catalog.measure` writes `figures.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

from composable.design.cost import cost
from composable.design.outline import outline
from composable.zoo import catalog
from composable.zoo.catalog.figures import FILE, Figures


def measured(name: str) -> Figures:
    """The figures of one member, counted in its outline."""
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
