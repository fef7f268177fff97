"""Trained networks on disk: arrays alone, no pickle, each file whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from composable.core.errors import ArtifactError
from composable.core.workspace import write_atomically
from composable.engine.train import Epoch, History
from composable.problem.finish import Finish
from composable.training.rotating import Trained

_LISTS = ("weights", "validation", "test", "own_test")


def save_trained(folder: Path, trained: Trained) -> None:
    """Write one rotation's network and logits to `folder/rotation-N.npz`."""
    arrays = {
        f"{name}_{number}": array for name in _LISTS for number, array in enumerate(getattr(trained, name))
    }
    facts = {
        "rotation": trained.rotation,
        "seconds": trained.seconds,
        "finishes": [asdict(finish) for finish in trained.finishes],
        "history": asdict(trained.history),
    }
    buffer = io.BytesIO()
    np.savez(buffer, facts=np.frombuffer(json.dumps(facts).encode(), "uint8"), **arrays)
    write_atomically(folder / f"rotation-{trained.rotation}.npz", buffer.getvalue())


def load_trained(folder: Path) -> list[Trained]:
    """Every rotation in `folder`, in order.

    Raises:
        ArtifactError: If a file isn't what `save_trained` wrote.
    """
    found = [_load(path) for path in folder.glob("rotation-*.npz")]
    return sorted(found, key=lambda trained: trained.rotation)


def _load(path: Path) -> Trained:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays.pop("facts").tobytes())
        lists = {name: _numbered(arrays, name) for name in _LISTS}
        history = facts["history"]
        return Trained(
            rotation=facts["rotation"],
            seconds=facts["seconds"],
            finishes=tuple(Finish(**finish) for finish in facts["finishes"]),
            history=History(
                tuple(Epoch(**epoch) for epoch in history["epochs"]),
                history["best_epoch"],
                history["stopped"],
            ),
            **lists,
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as broken:
        raise ArtifactError(
            "A stored network must be as it was written.",
            received=f"{path}: {broken}",
            remedy="delete that file; the same command trains it again",
        ) from broken


def _numbered(arrays: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{name}_") and key[len(name) + 1 :].isdigit() for key in arrays)
    return [arrays[f"{name}_{number}"] for number in range(count)]
