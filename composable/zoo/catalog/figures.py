"""How large the members of the zoo are, read from a file, so that listing them builds nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

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


@lru_cache(maxsize=1)
def figures() -> dict[str, Figures]:
    """By name of the member."""
    return {name: Figures(**values) for name, values in json.loads(FILE.read_text(encoding="utf-8")).items()}
