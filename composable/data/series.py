"""Series held in arrays: brought into one shape, and read row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from composable.core.errors import DataError

SERIES = "series"  # the column of a file of series
LONGEST = 4096  # steps that are read: training takes time by the step
LARGEST = 3e38  # just within the range of float32
_RULE = "Series are numbers (rows, steps, channels), or in each row one array (steps,) or (steps, channels)."


def is_ragged(values: Any) -> bool:
    """Whether values are one array of numbers per row, perhaps of different lengths, rather than cells."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        return False
    first = values[0] if isinstance(values, Sequence | np.ndarray) and len(values) else None
    if isinstance(first, list | tuple):
        return all(isinstance(row, list | tuple) for row in values) and len({len(row) for row in values}) > 1
    return isinstance(first, np.ndarray) and first.ndim in (1, 2) and first.dtype.kind in "fiu"


def series_of(values: Any, origin: str) -> np.ndarray:
    """Series as one array (rows, steps, channels) of float32, NaN where one is missing or over.

    Of one that is longer, the first `LONGEST` steps are read: others would be padded to its length.

    Args:
        values: An array of three axes, or a sequence of arrays (steps,) or (steps, channels).
        origin: For errors.

    Raises:
        DataError: If rows have different channels, or no series has two steps.
    """
    rows = [_steps(row, f"{origin}: row {number}")[:LONGEST] for number, row in enumerate(values, 1)]
    channels = rows[0].shape[-1] if rows else 1
    for number, row in enumerate(rows, 1):
        if row.ndim != 2 or row.shape[-1] != channels or row.dtype.kind not in "fiub":
            raise DataError(
                _RULE,
                received=f"{origin}: row 1 is {rows[0].shape}, row {number} is {row.shape} of {row.dtype}",
                remedy="give every row the same channels, NaN where one was not measured",
            )
    longest = max((len(row) for row in rows), default=0)
    if longest < 2 or not channels:
        raise DataError(
            "A series has two steps or more.",
            received=f"{origin}: at most {longest} steps of {channels} channels",
            remedy="give single numbers as columns of their own",
        )
    found = np.full((len(rows), longest, channels), np.nan, "float32")
    for padded, row in zip(found, rows, strict=True):
        padded[: len(row)] = finite(row)
    return found


def _steps(row: Any, where: str) -> np.ndarray:
    """One series, (steps, channels)."""
    try:
        steps = np.asarray(row)
    except ValueError as uneven:  # steps of lists of unequal length
        remedy = "give every step as many numbers, NaN where one was not measured"
        raise DataError(_RULE, received=f"{where} has steps of several lengths", remedy=remedy) from uneven
    return steps[:, None] if steps.ndim == 1 else steps


def finite(values: np.ndarray) -> np.ndarray:
    """The values as float32, with NaN instead of infinite numbers."""
    values = np.where(np.isinf(values), np.nan, values.astype("float64"))
    return np.clip(values, -LARGEST, LARGEST).astype("float32")


def lengths_of(values: np.ndarray) -> np.ndarray:
    """The number of steps up to the last one with a known number, (rows,)."""
    known: np.ndarray = np.asarray(~np.isnan(values).all(axis=-1))
    return np.where(known.any(axis=1), known.shape[1] - known[:, ::-1].argmax(axis=1), 0)


@dataclass(frozen=True, eq=False)
class SeriesArrays:
    """Series in arrays (rows, steps, channels) of float32; a cell is "x_train/17".

    Attributes:
        arrays: By name.

    Raises:
        DataError: If they have different channels.
    """

    arrays: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        channels = {name: array.shape[2] for name, array in self.arrays.items()}
        if len(set(channels.values())) > 1:
            raise DataError("All series of a file have the same channels.", received=f"{channels}")

    def read(self, names: Sequence[str]) -> np.ndarray:
        """The series that these cells name, (rows, steps, channels), as long as the longest array.

        Of a cell that names none all numbers are missing.
        """
        length = max(array.shape[1] for array in self.arrays.values())
        channels = next(iter(self.arrays.values())).shape[2]
        found = np.full((len(names), length, channels), np.nan, "float32")
        for padded, name in zip(found, names, strict=True):
            if name:
                one = finite(self._one(name))
                padded[: len(one)] = one
        return found

    def fingerprints(self, names: Sequence[str]) -> list[str]:
        """Equal for equal series."""
        return [hashlib.sha256(self._one(name).tobytes()).hexdigest() if name else "" for name in names]

    def missing(self, names: Sequence[str]) -> dict[int, str]:
        """The indices of names that name no series."""
        found = {}
        for index, name in enumerate(names):
            array, _, number = name.rpartition("/")
            if not (array in self.arrays and number.isdecimal() and int(number) < len(self.arrays[array])):
                found[index] = "no series of the array"
        return found

    def _one(self, name: str) -> np.ndarray:
        array, _, number = name.rpartition("/")
        return self.arrays[array][int(number)]
