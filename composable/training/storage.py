"""Trained networks on disk: arrays alone, no pickle, each file complete or not there at all."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from composable.core.errors import ArtifactError
from composable.core.workspace import write_atomically
from composable.engine.history import Divergence, Epoch, History
from composable.problem.postprocessing import PostProcessing
from composable.training.candidate import REFIT, Baseline, Candidate, Trained

_LOGITS = ("held_out", "test", "own_test")
_NAME = re.compile(r"refit\.npz|fold-(?P<fold>[0-9]+)\.npz")


def save_trained(folder: Path, trained: Trained, candidate: Candidate | Baseline) -> None:
    """Write one fold's network and logits to `folder/fold-N.npz`, that of `REFIT` to `refit.npz`."""
    names = ("weights", *_LOGITS)
    arrays = {
        f"{name}_{number}": array for name in names for number, array in enumerate(getattr(trained, name))
    }
    facts = {
        "candidate": _identity(candidate),
        "fold": trained.fold,
        "seconds": trained.seconds,
        "mirrored": trained.mirrored,
        "chosen": dict(trained.chosen),
        "whole_file": trained.whole_file,
        "together": list(trained.together),
        "postprocessing": [asdict(step) for step in trained.postprocessing],
        "history": asdict(trained.history),
    }
    _write(_path(folder, trained.fold), facts, arrays)


def _write(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    buffer, named = io.BytesIO(), dict[str, Any](arrays)
    np.savez(buffer, facts=np.frombuffer(json.dumps(facts).encode(), "uint8"), **named)
    write_atomically(path, buffer.getvalue())


def stored_folds(folder: Path) -> list[int]:
    """The folds of which a network lies in `folder`, `REFIT` first if there is one; links aren't followed."""
    names = (_NAME.fullmatch(path.name) for path in folder.glob("*.npz") if not path.is_symlink())
    return sorted(REFIT if found["fold"] is None else int(found["fold"]) for found in names if found)


def weight_bytes(folder: Path, fold: int) -> int:
    """What the weights of one fold's network take on the disk; 0 where they were dropped.

    Raises:
        ArtifactError: If the file isn't what `save_trained` wrote.
    """
    path = _path(folder, fold)
    try:
        with zipfile.ZipFile(path) as stored:
            return sum(one.compress_size for one in stored.infolist() if one.filename.startswith("weights_"))
    except (OSError, zipfile.BadZipFile) as broken:
        raise _damaged(path, broken) from broken


def drop_weights(folder: Path, fold: int) -> None:
    """Remove the weights of one fold's network from the disk; what it predicted stays, and its score with it.

    Raises:
        ArtifactError: If the file isn't what `save_trained` wrote.
    """
    path = _path(folder, fold)
    arrays = _arrays(path, *_LOGITS)
    _write(path, _facts(path, arrays) | {"dropped": True}, arrays)


def _facts(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What stands beside the arrays of a file; it is taken out of them."""
    try:
        return dict(json.loads(arrays.pop("facts").tobytes()))
    except (ValueError, KeyError, TypeError) as broken:
        raise _damaged(path, broken) from broken


def load_trained(folder: Path, candidate: Candidate | Baseline) -> list[Trained]:
    """The folds of a candidate that are in `folder`, from the first to the first that isn't usable.

    Their weights stay on the disk, see `load_weights`. A file that is damaged, of another candidate, or of a
    training that the clock cut short ends the list: that fold is to be trained again. So does a fold that was
    trained at once with others of which a kill let no file come to be: they learned from each other.
    """
    found: list[Trained] = []
    while (trained := _usable(_path(folder, len(found)), candidate)) is not None:
        if not all(_path(folder, other).exists() for other in trained.together):
            break
        found.append(trained)
    return found


def stored_network(folder: Path, fold: int) -> Trained:
    """The network of a fold as it lies in `folder`, without its weights; see `load_weights`.

    Raises:
        ArtifactError: If the file isn't what `save_trained` wrote.
    """
    return _trained(_arrays(_path(folder, fold), *_LOGITS))[0]


def load_refit(folder: Path, candidate: Candidate) -> Trained | None:
    """The network of `REFIT`, as `load_trained` gives those of folds; None where it isn't there."""
    return _usable(_path(folder, REFIT), candidate)


def _usable(path: Path, candidate: Candidate | Baseline) -> Trained | None:
    if not path.exists():
        return None
    try:
        trained, identity = _trained(_arrays(path, *_LOGITS))
    except ArtifactError:
        return None
    ended = identity == _identity(candidate) and trained.history.stopped != "deadline"
    return trained if ended else None


def load_weights(folder: Path, fold: int) -> list[np.ndarray]:
    """The weights of one fold's network, as `keras.Model.set_weights` takes them.

    Raises:
        ArtifactError: If the file isn't what `save_trained` wrote, or its weights were dropped.
    """
    path = _path(folder, fold)
    arrays = _arrays(path, "weights")
    if _facts(path, arrays).get("dropped"):
        raise ArtifactError(
            "A network answers by its weights.",
            received=f"{path}: they were removed to free disk",
            remedy="ask another trial, or fit again into another --out",
        )
    return _numbered(arrays, "weights")


def _path(folder: Path, fold: int) -> Path:
    return folder / ("refit.npz" if fold == REFIT else f"fold-{fold}.npz")


def _identity(candidate: Candidate | Baseline) -> str:
    if isinstance(candidate, Baseline):
        return hashlib.sha256(repr(candidate.predict).encode()).hexdigest()
    text = f"{candidate.architecture.to_json()} {candidate.settings!r}"
    for one in (candidate.small, candidate.solver):
        text += "" if one is None else f" {one!r}"
    return hashlib.sha256(text.encode()).hexdigest()


def _arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            wanted = [name for name in stored.files if name == "facts" or name.startswith(names)]
            return {name: stored[name] for name in wanted}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as broken:
        raise _damaged(path, broken) from broken


def _trained(arrays: dict[str, np.ndarray]) -> tuple[Trained, str]:
    try:
        facts = json.loads(arrays.pop("facts").tobytes())
        history = facts["history"]
        trained = Trained(
            fold=facts["fold"],
            seconds=facts["seconds"],
            postprocessing=tuple(PostProcessing(**step) for step in facts["postprocessing"]),
            history=History(
                tuple(Epoch(**epoch) for epoch in history["epochs"]),
                history["best_epoch"],
                history["stopped"],
                Divergence(**history["diverged"]) if history["diverged"] else None,
            ),
            weights=[],
            mirrored=facts.get("mirrored", False),
            chosen=facts.get("chosen", {}),
            whole_file=facts.get("whole_file", False),
            dropped=facts.get("dropped", False),
            together=tuple(facts.get("together", ())),
            **{name: _numbered(arrays, name) for name in _LOGITS},
        )
        return trained, facts["candidate"]
    except (ValueError, KeyError, TypeError) as broken:
        raise _damaged(Path("fold.npz"), broken) from broken


def _damaged(path: Path, broken: Exception) -> ArtifactError:
    return ArtifactError(
        "A stored network must be as it was written.",
        received=f"{path}: {broken}",
        remedy="delete that file; the same command trains it again",
    )


def _numbered(arrays: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{name}_") and key[len(name) + 1 :].isdigit() for key in arrays)
    return [arrays[f"{name}_{number}"] for number in range(count)]
