"""Named arrays in one file, bit for bit and without pickle: NumPy's npz, uncompressed, plus an index.

Format: numpy.lib.format, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Member
`index` holds the names as JSON, so that a name may be any text; member `array_N` holds the N-th array. The
types that NumPy lacks (bfloat16 and the rest of ml_dtypes) are stored as unsigned integers of the same bits,
with their own name in the index.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from composable.core.errors import ArtifactError

_NUMBERS = "biufc"
_EXTENDED = {
    np.dtype(kind).name: np.dtype(kind)
    for kind in vars(ml_dtypes).values()
    if isinstance(kind, type) and issubclass(kind, np.generic)
}


class Hashed(io.RawIOBase):
    """A stream to write to, which counts and hashes what passes; it can't seek, so nothing passes twice."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._sha256 = stream, hashlib.sha256()
        self.bytes = 0

    def write(self, content: Any) -> int:
        """Pass `content` on, all of it."""
        self._sha256.update(content)
        self.bytes += len(content)
        return self._stream.write(content)

    @property
    def sha256(self) -> str:
        """Of everything written so far, in hexadecimal."""
        return self._sha256.hexdigest()


def check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse what `write_arrays` can't store.

    Raises:
        ArtifactError: Naming the array whose type isn't one of numbers or truth values.
    """
    for name, array in arrays.items():
        if array.dtype.kind not in _NUMBERS and array.dtype.name not in _EXTENDED:
            raise ArtifactError(
                "An array of a checkpoint holds numbers or truth values.",
                received=f"{name}: {array.dtype}",
                remedy="keep texts and objects among the facts",
            )


def write_arrays(stream: Hashed, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of any shape, 0-d and empty ones included, one after another: no copy of the whole."""
    index = json.dumps([[name, array.dtype.name] for name, array in arrays.items()])
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "index", np.frombuffer(index.encode(), np.uint8))
        for number, array in enumerate(arrays.values()):
            _add(archive, f"array_{number}", _bits(array))


def read_arrays(stream: BinaryIO) -> dict[str, np.ndarray]:
    """The arrays that `write_arrays` wrote, of the same types, shapes and bits, writable.

    Raises:
        ValueError: With the reason why it is no such file.
    """
    try:
        with np.load(stream, allow_pickle=False) as stored:
            # What isn't compressed can't be larger in memory than the file is.
            if any(member.compress_type != zipfile.ZIP_STORED for member in stored.zip.infolist()):
                raise ValueError("a compressed member")
            index = json.loads(stored["index"].tobytes())
            return {
                name: _typed(stored[f"array_{number}"], kind) for number, (name, kind) in enumerate(index)
            }
    except (
        OSError,
        EOFError,
        KeyError,
        TypeError,
        AttributeError,
        MemoryError,
        zipfile.BadZipFile,
    ) as broken:
        raise ValueError(str(broken)) from broken


def _add(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def _bits(array: np.ndarray) -> np.ndarray:
    return array.view(f"u{array.dtype.itemsize}") if array.dtype.name in _EXTENDED else array


def _typed(array: np.ndarray, kind: str) -> np.ndarray:
    return array.view(_EXTENDED[kind]) if kind in _EXTENDED else array
