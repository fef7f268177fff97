"""Batches of another library, of whatever size, cut into chunks of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from composable.core.errors import DataError
from composable.data.names import listed
from composable.engine.feed.chunk import Chunk, check_chunk, chunk_of
from composable.engine.rows import Rows


@dataclass(frozen=True)
class Names:
    """The names of the parts of a batch, where it has none itself.

    Attributes:
        inputs: Of the model's inputs, in the order in which a batch has them.
        targets: Of the heads, in their order; only needed where a batch names its targets.
    """

    inputs: tuple[str, ...] = ("inputs",)
    targets: tuple[str, ...] = ()


UNNAMED = Names()


def rows_of(batch: Any, names: Names, *, origin: str) -> Rows:
    """A batch as Keras `fit` takes it: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        batch: Each part an array or tensor, or several of them in a tuple, list or mapping.
        names: Those of the parts.
        origin: The source, for errors.

    Raises:
        DataError: If it has other parts, or they don't go with the names.
    """
    try:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    except ValueError as refused:
        raise DataError(
            "A batch must be x, (x, y) or (x, y, sample_weight).",
            received=f"{origin} gives {len(batch)} parts",
        ) from refused
    inputs = _named(x, names.inputs, "inputs", origin)
    if isinstance(weights, (Mapping, tuple, list)):
        raise DataError("There must be one weight per row.", received=f"{origin} gives weights per head")
    return Rows(inputs, _targets(y, names, origin), None if weights is None else _array(weights))


def rechunked(batches: Iterable[Rows], *, rows: int, first: int = 0, origin: str) -> Iterator[Chunk]:
    """The rows of the batches in chunks of exactly `rows`, but for the last.

    Args:
        batches: Of any size.
        rows: Of a chunk.
        first: The number of the chunk to begin with; the rows before it are read and left out.
        origin: The source, for errors.

    Raises:
        DataError: If batches differ in their inputs, types or shapes.
    """
    check_chunk(rows, first)
    held: list[Rows] = []
    missing, left_out, number = rows, first * rows, first
    for batch in _alike(batches, origin):
        start = min(left_out, len(batch))
        left_out -= start
        while start < len(batch):
            stop = min(start + missing, len(batch))
            held.append(_between(batch, start, stop))
            start, missing = stop, missing - (stop - start)
            if not missing:
                joined, held = _joined(held), []
                yield chunk_of(joined, number, origin=origin)
                missing, number = rows, number + 1
    if held:
        yield chunk_of(_joined(held), number, origin=origin)


def _named(parts: Any, names: tuple[str, ...], what: str, origin: str) -> dict[str, np.ndarray]:
    if isinstance(parts, Mapping):
        return {str(name): _array(part) for name, part in parts.items()}
    several = tuple(parts) if isinstance(parts, (tuple, list)) else (parts,)
    if len(several) != len(names):
        raise DataError(
            f"The {what} of a batch must have names.",
            received=f"{origin} gives {len(several)}, the names are {listed(names)}",
            remedy="give a name to each, or let the batches be mappings by name",
        )
    return {name: _array(part) for name, part in zip(names, several, strict=True)}


def _targets(y: Any, names: Names, origin: str) -> tuple[np.ndarray, ...]:
    if y is None:
        return ()
    if not isinstance(y, Mapping):
        return tuple(map(_array, y)) if isinstance(y, (tuple, list)) else (_array(y),)
    if set(y) != set(names.targets):
        raise DataError(
            "Targets by name must be those of the heads.",
            received=f"{origin} gives {listed(y)}, the heads are {listed(names.targets)}",
            remedy="name the heads' targets, in their order",
        )
    return tuple(_array(y[name]) for name in names.targets)


def _array(tensor: Any) -> np.ndarray:
    on_host = tensor.detach().cpu() if hasattr(tensor, "detach") else tensor  # PyTorch's
    return np.asarray(on_host)


def _alike(batches: Iterable[Rows], origin: str) -> Iterator[Rows]:
    known: dict[str, str] | None = None
    for batch in batches:
        chunk_of(batch, 0, origin=origin)
        arrays = {**batch.inputs, **{f"target {i}": target for i, target in enumerate(batch.targets)}}
        kinds = {name: f"{array.dtype}{list(array.shape[1:])}" for name, array in arrays.items()}
        kinds["weights"] = "none" if batch.weights is None else str(batch.weights.dtype)
        known = known or kinds
        if kinds != known:
            changed = sorted(name for name in {*known, *kinds} if known.get(name) != kinds.get(name))
            raise DataError(
                "All batches must have the same inputs, of the same types and shapes but for the rows.",
                received=f"{origin}: {changed[0]} is {known.get(changed[0])}, later {kinds.get(changed[0])}",
                remedy="pad or cast them to one shape and type",
            )
        yield batch


def _between(rows: Rows, start: int, stop: int) -> Rows:
    return Rows(
        {name: values[start:stop] for name, values in rows.inputs.items()},
        tuple(target[start:stop] for target in rows.targets),
        None if rows.weights is None else rows.weights[start:stop],
    )


def _joined(pieces: list[Rows]) -> Rows:
    heads = range(len(pieces[0].targets))
    weights = [piece.weights for piece in pieces if piece.weights is not None]
    return Rows(
        {name: np.concatenate([piece.inputs[name] for piece in pieces]) for name in pieces[0].inputs},
        tuple(np.concatenate([piece.targets[head] for piece in pieces]) for head in heads),
        np.concatenate(weights) if weights else None,
    )
