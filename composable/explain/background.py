"""Background rows: what a run keeps of its training rows, for predictions to be compared with."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from composable.core.seeds import derive
from composable.core.workspace import write_atomically
from composable.training.candidate import Material

FILE = "background.npz"
ROWS = 64
_MOST_BYTES = 4_000_000  # a run keeps no gallery of pictures


def save_background(run: Path, material: Material, *, seed: int) -> None:
    """Keep some training rows, encoded, in the run folder, unless they are large.

    Args:
        run: The run folder.
        material: The encoded rows of the run.
        seed: Of which rows are kept.
    """
    rows = some_rows(len(material.targets[0]), seed=seed)
    inputs = material.at(rows)
    if sum(values.nbytes for values in inputs.values()) > _MOST_BYTES:
        return
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **inputs)
    write_atomically(run / FILE, content.getvalue())


def read_background(run: Path) -> Mapping[str, np.ndarray] | None:
    """The inputs of the rows that the run kept; None where it kept none."""
    try:
        with np.load(run / FILE, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError):
        return None


def some_rows(rows: int, *, seed: int) -> np.ndarray:
    """The indices of at most `ROWS` rows, drawn without replacement, ascending."""
    rng = np.random.default_rng(derive(seed, "background"))
    return np.sort(rng.permutation(rows)[:ROWS])
