"""The encoded rows of a run and their folds as a folder, so that a job can be done by another process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from composable.core.errors import ArtifactError
from composable.core.records import from_json, to_json, validated
from composable.core.workspace import read_json, write_atomically, write_json
from composable.data.split import Fold
from composable.problem.problem import Problem
from composable.training.candidate import Material
from composable.training.table_file import SampledFile, TableFile

_FORMAT, _FILE, _TABLE_FILE = "composable.dataset/2", "dataset.json", "table_file.json"
_REMEDY = "delete the folder; the same command writes it again"


@dataclass(frozen=True, eq=False)
class Dataset:
    """What jobs learn from.

    Attributes:
        material: The encoded rows.
        folds: Which rows are which.
    """

    material: Material
    folds: tuple[Fold, ...]


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write the rows, each array a file of its own; what is in the folder already is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    material = dataset.material
    arrays = {f"input-{name}": values for name, values in material.inputs.items()}
    arrays |= {f"target-{number}": values for number, values in enumerate(material.targets)}
    arrays |= {f"own-{name}": values for name, values in (material.own_test or {}).items()}
    if material.weights is not None:
        arrays["weights"] = material.weights
    if (sampled := material.file) is not None:
        arrays |= {"file-rows": sampled.rows}
        arrays |= {} if sampled.hashes is None else {"file-hashes": sampled.hashes}
        write_atomically(folder / _TABLE_FILE, to_json(sampled.file, format="table_file"))
    for number, fold in enumerate(dataset.folds):
        arrays |= {f"fold-{number}-{part}": getattr(fold, part) for part in ("train", "held_out", "test")}
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)
    facts = {
        "format": _FORMAT,
        "problem": asdict(material.problem),
        "inputs": list(material.inputs),
        "streamed": [name for name, values in material.inputs.items() if isinstance(values, np.memmap)],
        "targets": len(material.targets),
        "own_test": material.own_test is not None,
        "weights": material.weights is not None,
        "categories": list(material.categories),
        "vocabularies": dict(material.vocabularies),
        "folds": len(dataset.folds),
        "file": [name for name in ("file-rows", "file-hashes") if name in arrays],
    }
    write_json(folder / _FILE, facts)


def load_dataset(folder: Path) -> Dataset:
    """The rows that `save_dataset` wrote.

    Raises:
        ArtifactError: If a file is missing or damaged.
    """
    facts = read_json(folder / _FILE, remedy=_REMEDY)
    try:

        def array(name: str, *, mapped: bool = False) -> np.ndarray:
            return np.load(folder / f"{name}.npy", mmap_mode="r" if mapped else None, allow_pickle=False)

        inputs = {name: array(f"input-{name}", mapped=name in facts["streamed"]) for name in facts["inputs"]}
        material = Material(
            validated(Problem, facts["problem"], origin=str(folder)),
            inputs,
            tuple(array(f"target-{number}") for number in range(facts["targets"])),
            tuple(facts["categories"]),
            array("weights") if facts["weights"] else None,
            {name: array(f"own-{name}") for name in inputs} if facts["own_test"] else None,
            facts["vocabularies"],
            _sampled_file(folder, *map(array, facts["file"])) if facts["file"] else None,
        )
        folds = tuple(
            Fold(*(array(f"fold-{number}-{part}") for part in ("train", "held_out", "test")))
            for number in range(facts["folds"])
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError) as broken:
        raise ArtifactError(
            "The rows of a run must be as they were written.", received=f"{folder}: {broken}", remedy=_REMEDY
        ) from broken
    return Dataset(material, folds)


def _sampled_file(folder: Path, rows: np.ndarray, hashes: np.ndarray | None = None) -> SampledFile:
    path = folder / _TABLE_FILE
    text = path.read_text(encoding="utf-8")
    return SampledFile(from_json(TableFile, text, format="table_file", origin=str(path)), rows, hashes)
