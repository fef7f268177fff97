"""Arrays in a file: they come back bit for bit, and nothing crafted comes in."""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
import zipfile

import ml_dtypes
import numpy as np
import pytest

from composable.training.array_file import Hashed, read_arrays, write_arrays
from composable.training.identity import State
from tests.training.checkpointed import checkpoints, same_bits

ARRAYS = {
    "kernel": np.random.default_rng(0).normal(size=(5, 4)).astype("float32"),
    "seed": np.array([2**32 - 1, 7], "uint32"),
    "step": np.asarray(2**62 + 1),
    "bf16": np.array([[1.5, -0.0], [np.nan, np.inf]], ml_dtypes.bfloat16),
    "bf16 0-d": np.asarray(3.25, ml_dtypes.bfloat16),
    "fp8": np.array([0.5, 448], ml_dtypes.float8_e4m3fn),
    "int4": np.array([-8, 7], ml_dtypes.int4),
    "float16": np.array([1e-7], "float16"),
    "float64": np.array([math.pi, 5e-324, -0.0, np.nan]),
    "mask": np.array([True, False]),
    "empty": np.zeros((0, 3), "float32"),
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "every other": np.arange(12)[::2],
    "bf16 transposed": np.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16).T,
    "big-endian": np.arange(3, dtype=">i4"),
    "../..//file.npy": np.ones(1, "int8"),
    "größe\n": np.ones(1, "complex64"),
    "index": np.zeros(2, "uint8"),
}


def test_arrays_come_back_bit_for_bit(tmp_path):
    checkpoints(tmp_path).save(State(ARRAYS, {}))
    found = checkpoints(tmp_path).latest().arrays
    assert list(found) == list(ARRAYS)
    assert [name for name in ARRAYS if not same_bits(found[name], ARRAYS[name])] == []
    assert all(array.flags.writeable for array in found.values())


def test_the_arrays_are_an_ordinary_npz_file_without_pickle(tmp_path):
    checkpoints(tmp_path).save(State({"kernel": ARRAYS["kernel"], "bf16": ARRAYS["bf16"]}, {}))
    with np.load(tmp_path / "gen-1" / "arrays.npz", allow_pickle=False) as stored:
        assert json.loads(stored["index"].tobytes()) == [["kernel", "float32"], ["bf16", "bfloat16"]]
        assert np.array_equal(stored["array_0"], ARRAYS["kernel"])
        assert np.array_equal(stored["array_1"], ARRAYS["bf16"].view("uint16"))


def archive(members, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return stream.getvalue()


def npy(array, **keywords):
    stream = io.BytesIO()
    np.save(stream, array, **keywords)
    return stream.getvalue()


BFLOAT16 = npy(np.frombuffer(b'[["x", "bfloat16"]]', "uint8"))
INDEX = npy(np.frombuffer(b'[["x", "float32"]]', "uint8"))
SHAPE_BOMB = npy(np.zeros(3, "float32")).replace(b"(3,), }" + b" " * 12, b"(3000000000000,), }"[:19])
CRAFTED = {
    "empty": (b"", "No data"),
    "cut": (b"PK half", "pickled"),
    "pickle": (pickle.dumps([1]), "pickled"),
    "npy": (npy(np.zeros(3)), "context manager"),
    "missing": (archive({"index.npy": INDEX}), "array_0"),
    "object": (
        archive({"index.npy": INDEX, "array_0.npy": npy(np.array([None]), allow_pickle=True)}),
        "Object",
    ),
    "shape bomb": (archive({"index.npy": INDEX, "array_0.npy": SHAPE_BOMB}), "allocate|EOF"),
    "zip bomb": (archive({"index.npy": INDEX}, zipfile.ZIP_DEFLATED), "compressed"),
    "type": (archive({"index.npy": BFLOAT16, "array_0.npy": npy(np.zeros(()))}), "itemsize|0d"),
}


@pytest.mark.parametrize(("content", "why"), CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_file_of_arrays_is_refused(content, why):
    with pytest.raises(ValueError, match=why):
        read_arrays(io.BytesIO(content))


def test_arrays_are_hashed_as_they_are_written():
    stream = io.BytesIO()
    hashed = Hashed(stream)
    write_arrays(hashed, ARRAYS)
    assert (hashed.bytes, hashed.sha256) == (
        len(stream.getvalue()),
        hashlib.sha256(stream.getvalue()).hexdigest(),
    )
