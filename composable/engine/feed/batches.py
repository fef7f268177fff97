"""Batches of another library, of whatever size, cut into chunks of one size.

They come from datasets of Keras, TensorFlow and PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from composable.core.errors import DataError
from composable.core.seeds import derive
from composable.core.threads import in_threads
from composable.data.names import listed
from composable.engine.feed.chunk import Chunk, check_chunk, chunk_of
from composable.engine.rows import Rows

_INFINITE = -1  # tf.data.INFINITE_CARDINALITY


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


@dataclass(frozen=True, eq=False)
class StreamFeed:
    """Batches as chunks.

    To resume, the rows before the position are read and left out, which is exact as long as the source gives
    the same rows again.

    Attributes:
        batches: From seed and epoch to the batches of that epoch, as Keras `fit` takes them.
        names: Those of their parts.
        origin: The source, for errors.
        repeatable: Whether `batches` heeds seed and epoch.
    """

    batches: Callable[[int, int], Iterator[Any]]
    names: Names
    origin: str
    repeatable: bool
    rows = None

    def chunks(self, *, seed: int, epoch: int, rows: int, first: int = 0) -> Iterator[Chunk]:
        """See `composable.engine.feed.chunk.Feed`."""
        check_chunk(rows, first)
        batches = (rows_of(batch, self.names, origin=self.origin) for batch in self.batches(seed, epoch))
        return rechunked(batches, rows=rows, first=first, origin=self.origin)


def py_dataset_feed(dataset: keras.utils.PyDataset, names: Names) -> StreamFeed:
    """A `keras.utils.PyDataset`: its batches in an order by seed and epoch, as Keras `fit` shuffles them too.

    Which rows are in a batch is up to the dataset. Where that changes between epochs (`on_epoch_end`), the
    dataset must keep account of them. Its `workers` are threads here, `use_multiprocessing` or not.

    Args:
        dataset: Of a known number of batches.
        names: Those of the parts of its batches.

    Raises:
        DataError: If it never ends.
    """
    if dataset.num_batches is None:
        raise _endless("the PyDataset", "let num_batches be the number of batches of an epoch")

    def batches(seed: int, epoch: int) -> Iterator[Any]:
        dataset.on_epoch_begin()
        order = np.random.default_rng(derive(seed, "feed", epoch)).permutation(dataset.num_batches or 0)
        yield from in_threads(dataset.__getitem__, order.tolist(), workers=dataset.workers)
        dataset.on_epoch_end()

    return StreamFeed(batches, names, "the PyDataset", repeatable=True)


def tensorflow_dataset_feed(dataset: Any, names: Names) -> StreamFeed:
    """A batched `tf.data.Dataset`, in its own order, whatever the seed and the epoch.

    Args:
        dataset: Already batched, and without end it is refused.
        names: Those of the parts of its batches.

    Raises:
        DataError: If it never ends.
    """
    if int(dataset.cardinality()) == _INFINITE:
        raise _endless("the tf.data.Dataset", "leave out .repeat(), or end an epoch with .take(n)")
    return StreamFeed(
        lambda _, __: dataset.as_numpy_iterator(), names, "the tf.data.Dataset", repeatable=False
    )


def torch_loader_feed(loader: Any, names: Names) -> StreamFeed:
    """A `torch.utils.data.DataLoader`, in its own order, whatever the seed and the epoch.

    Args:
        loader: Whose batches are tensors or arrays; its workers do their work.
        names: Those of the parts of its batches.
    """
    return StreamFeed(lambda _, __: iter(loader), names, "the DataLoader", repeatable=False)


def _endless(origin: str, remedy: str) -> DataError:
    """The error for a source that never ends."""
    return DataError("An epoch must end.", received=f"{origin} is without end", remedy=remedy)


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
